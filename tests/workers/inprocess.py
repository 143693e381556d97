"""A runner without Celery: messages go to threads of this process. Everything else is real."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from db.artefacts import Artefacts
from db.errors import UnavailableError
from db.rows import JobRow, NewJob, OutboxRow
from explorer.spec import Constraint, JobSpec, PlatformDevice, PlatformSpec, RoutingSpec, SearchParameters
from tests.workers.service import MODEL
from workers.runner import Runner
from workers.settings import Settings

Start = Callable[..., "InProcess"]


class InProcess:
    def __init__(self, home: Path, database_url: str, **settings: object) -> None:
        fields: dict[str, object] = {
            "evaluator": "tests.workers.fakes:FakeEvaluator",
            "search": "tests.workers.fakes:FakeSearch",
            "heartbeat_seconds": 0.05,
            "lease_seconds": 5.0,
            "sign_off_designs": 2,
            "slots": 2,
        }
        nowhere = f"redis+socket://{home / 'no-broker'}"
        self.settings = Settings(home, database_url, nowhere, **{**fields, **settings})  # type: ignore[arg-type]
        home.mkdir(exist_ok=True)
        Artefacts(home).graph(MODEL).write_bytes(b"graph")
        self.settings.cache.mkdir(exist_ok=True)
        self.drivers = ThreadPoolExecutor(4)
        self.evaluators = ThreadPoolExecutor(2)
        self.runner = Runner(self.settings, self.send)
        self.store = self.runner.store
        self.closing = threading.Event()
        self.relay = threading.Thread(target=self._relay)
        self.relay.start()

    def send(self, message: OutboxRow) -> None:
        if message.task == "drive":
            self.drivers.submit(self.runner.drive, message.target_id)
        else:
            self.evaluators.submit(self.runner.evaluate, message.target_id)

    def _relay(self) -> None:
        while not self.closing.wait(0.02):
            with contextlib.suppress(UnavailableError):
                self.runner.publish()

    def close(self) -> None:
        self.closing.set()
        self.relay.join()
        self.runner.shut_down()
        self.drivers.shutdown(cancel_futures=True)
        self.evaluators.shutdown(cancel_futures=True)
        self.runner.close()

    def mode(self, text: str) -> None:
        (self.settings.cache / "mode").write_text(text)

    def submit(
        self,
        trials: int,
        parallel: int = 2,
        seed: int = 0,
        wall_seconds: float = 900.0,
        space: int = 1 << 30,
        routed: int = 0,
        device: str = "lfe5u-25f",
    ) -> JobRow:
        """``space`` is the size that the check of a submission would have found."""
        search = SearchParameters(trials=trials, parallel_trials=parallel, seed=seed, wall_seconds=wall_seconds)
        constraints = (Constraint("est_lut", max=800.0),)
        platform = PlatformSpec((PlatformDevice(device, 1),))
        routing = RoutingSpec(routed)
        spec = JobSpec(MODEL, platform=platform, constraints=constraints, search=search, routing=routing).to_json()
        return self.store.jobs.create(NewJob(MODEL, None, spec, min(trials, space), wall_seconds, parallel, {})).job

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            time.sleep(0.02)

    def finish(self, job: JobRow) -> JobRow:
        self.until(lambda: self.store.jobs.get(job.id).terminal, "the job ends")
        return self.store.jobs.get(job.id)

    def starts(self) -> int:
        log = self.settings.cache / "starts"
        return len(log.read_text().splitlines()) if log.exists() else 0
