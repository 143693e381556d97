"""The wall clock of all processes jumps by an hour: no budget and no lease notices."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import migrate
from tests.postgres import Server
from tests.workers.service import Service, processes_with
from tests.workers.wallclock import WallClock

HOUR = 3600


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path)


@pytest.fixture
def start(tmp_path: Path, clock: WallClock) -> Iterator[Callable[[str | None], Service]]:
    services: list[Service] = []

    def make(url: str | None = None) -> Service:
        home = tmp_path / "home"
        home.mkdir()
        database = url or f"sqlite:///{home / 'headrace.db'}"
        migrate.upgrade(database)
        services.append(Service(home, database, **clock.environment))
        return services[-1].start()

    yield make
    for service in services:
        service.close()


def test_the_fault_is_real(clock: WallClock) -> None:
    script = (
        "import time, datetime as d; input(); print(time.time(), d.datetime.now(d.UTC).timestamp(), time.monotonic())"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], env=clock.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    clock.jump(HOUR)
    out, _ = child.communicate("\n")
    plain = subprocess.run([sys.executable, "-c", script], input="\n", capture_output=True, text=True, check=True)
    ahead = [float(a) - float(b) for a, b in zip(out.split(), plain.stdout.split(), strict=True)]
    assert all(abs(seconds - HOUR) < HOUR / 4 for seconds in ahead[:2]) and abs(ahead[2]) < HOUR / 4


def test_an_hour_ahead_ends_no_budget_and_no_lease(start: Callable[..., Service], clock: WallClock) -> None:
    _ahead(start(), clock)


@pytest.mark.slow
def test_an_hour_ahead_on_postgresql(start: Callable[..., Service], clock: WallClock, postgres: Server) -> None:
    _ahead(start(postgres.new_database()), clock)


def _ahead(service: Service, clock: WallClock) -> None:
    service.mode("pause=0.3")
    job = service.submit(12, wall_seconds=600.0)
    service.wait_for(lambda: service.store.jobs.get(job.id).trials_done >= 2, 60, "two trials")
    clock.jump(HOUR)
    ended = service.finish(job)
    service.check_history(ended, trials=12)
    assert (ended.state, ended.end_reason) == ("succeeded", "budget_trials")
    assert {attempt.outcome for attempt in _attempts(service, job.id)} <= {"complete", "infeasible", "done"}


def test_an_hour_back_with_a_killed_worker(start: Callable[..., Service], clock: WallClock) -> None:
    _back(start(), clock)


@pytest.mark.slow
def test_an_hour_back_on_postgresql(start: Callable[..., Service], clock: WallClock, postgres: Server) -> None:
    _back(start(postgres.new_database()), clock)


def _back(service: Service, clock: WallClock) -> None:
    hang = "86397"
    service.mode(f"pause={hang}")
    job = service.submit(4)
    service.wait_for(lambda: service.store.jobs.get(job.id).counts["running"] == 2, 60, "two run")
    service.mode("")
    clock.jump(-HOUR)
    service.worker("evaluate").send_signal(signal.SIGKILL)
    service.wait_for(lambda: not processes_with(hang), 10, "the compilers died with their worker")
    ended = service.finish(job, 60)
    service.check_history(ended, trials=4)
    assert sum(attempt.outcome == "worker_lost" for attempt in _attempts(service, job.id)) == 2


def _attempts(service: Service, job_id: str) -> list:
    return [
        attempt for trial in service.store.trials.history(job_id) for attempt in service.store.trials.attempts(trial.id)
    ]
