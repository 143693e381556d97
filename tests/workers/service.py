"""A real service for fault tests: broker, workers and database as users run them, with the fake evaluator."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from db.artefacts import Artefacts
from db.rows import JobRow, NewJob
from db.store import Store
from explorer.spec import JobSpec, SearchParameters

MODEL = "sha256:" + "a" * 64
ROOT = Path(__file__).resolve().parent.parent.parent
LEASE_SECONDS = 4.0


class Service:
    def __init__(self, home: Path, database_url: str, **environment: str) -> None:
        self.home = home
        (home / "cache").mkdir(parents=True, exist_ok=True)
        graph = Artefacts(home).graph(MODEL)
        graph.write_bytes(b"graph")
        self.store = Store(database_url)
        self.environment = {
            **os.environ,
            "HEADRACE_HOME": str(home),
            "HEADRACE_DATABASE_URL": database_url,
            "HEADRACE_EVALUATOR": "tests.workers.fakes:FakeEvaluator",
            "HEADRACE_SEARCH": "tests.workers.fakes:FakeSearch",
            "HEADRACE_LEASE_SECONDS": str(LEASE_SECONDS),
            "HEADRACE_HEARTBEAT_SECONDS": "0.5",
            "HEADRACE_REQUEUE_SECONDS": "2",
            "HEADRACE_SIGN_OFF_DESIGNS": "2",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Service:
        command = [sys.executable, "-m", "workers.serve", "--without-api", "--port", "0", "--slots", "2"]
        with (self.home / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_for(lambda: len(self.store.workers.alive(20.0)) >= 2, 60.0, "both workers heard")
        return self

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(timeout=60)
        self.store.close()

    def mode(self, text: str) -> None:
        (self.home / "cache" / "mode").write_text(text)

    def submit(self, trials: int, parallel: int = 2, seed: int = 0, **search: float) -> JobRow:
        spec = JobSpec(MODEL, search=SearchParameters(trials=trials, parallel_trials=parallel, seed=seed, **search))
        wall = spec.search.wall_seconds
        return self.store.jobs.create(NewJob(MODEL, None, spec.to_json(), trials, wall, parallel, {})).job

    def wait_for(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.logs()}"
            time.sleep(0.05)

    def finish(self, job: JobRow, seconds: float = 90.0) -> JobRow:
        self.wait_for(lambda: self.store.jobs.get(job.id).terminal, seconds, "the job is terminal")
        return self.store.jobs.get(job.id)

    def logs(self) -> str:
        shown = [self.home / "serve.log", *sorted((self.home / "logs").glob("worker-*.log"))]
        return "\n".join(f"--- {p.name}\n{p.read_text(errors='replace')[-3000:]}" for p in shown if p.exists())

    def worker(self, name: str) -> psutil.Process:
        """The Celery process of ``search`` or ``evaluate``."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                line = child.cmdline()
                if f"{name}@%h" in line and "leash.py" not in " ".join(line):
                    return child
        raise AssertionError(f"no {name} worker runs\n{self.logs()}")

    def tree(self) -> list[psutil.Process]:
        """Every process of the service right now."""
        assert self.process is not None
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def starts(self) -> Counter[str]:
        """Candidate hash -> how often its evaluation was started."""
        log = self.home / "cache" / "starts"
        return Counter(line.split()[0] for line in log.read_text().splitlines()) if log.exists() else Counter()

    def check_history(self, job: JobRow, trials: int | None = None) -> None:
        """What must hold of every ended job, whatever happened to it."""
        events = self.store.events.after(job.id, limit=100_000)
        assert [event.seq for event in events] == list(range(1, job.seq + 1))
        assert events[-1].type == "end"
        rows = self.store.trials.history(job.id)
        assert [row.number for row in rows] == list(range(len(rows)))
        assert all(row.state in ("complete", "infeasible", "failed", "cancelled") for row in rows)
        hashes = [row.candidate_hash for row in rows]
        assert len(set(hashes)) == len(hashes), "a candidate was counted twice"
        assert len(rows) <= job.trials_total
        if trials is not None:
            assert job.trials_done == trials
        for row in rows:
            accepted = [e for e in events if e.data.get("trial_id") == row.id and "metrics" in e.data]
            assert len(accepted) == (1 if row.state in ("complete", "infeasible") else 0)
            outcomes = [a.outcome for a in self.store.trials.attempts(row.id) if a.purpose == "evaluate"]
            assert outcomes.count(row.state) <= 1 and None not in outcomes


def processes_with(argument: str) -> list[str]:
    """Command lines on this machine, in any namespace, that have this argument."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if argument in process.cmdline():
                found.append(" ".join(process.cmdline()))
    return found


def gone(processes: list[psutil.Process], seconds: float) -> list[str]:
    """What of ``processes`` is still alive after ``seconds``."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [json.dumps(p.cmdline()) for p in alive if p.status() != psutil.STATUS_ZOMBIE]
