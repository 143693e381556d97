"""Outages of the database, the disk and the machine: work goes on afterwards, and no design is blamed."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import migrate
from db.rows import JobRow, TrialRow
from tests.postgres import Server
from tests.workers.inprocess import InProcess, Start
from workers import outage as outages
from workers.maintenance import Upkeep
from workers.outage import outage

LEASE_SECONDS = 1.0
TINY = "tests.workers.fakes:TinySearch"


@pytest.fixture
def server() -> Iterator[Server]:
    own = Server()
    yield own
    own.stop()


def held(service: InProcess) -> JobRow:
    """A job of one trial whose evaluation waits for the gate."""
    gate = service.settings.cache / "gate"
    gate.touch()
    service.mode("gate")
    job = service.submit(1, parallel=1)
    service.until(lambda: service.starts() == 1, "the evaluation runs")
    return job


def open_gate(service: InProcess) -> None:
    (service.settings.cache / "gate").unlink()


def only_trial(service: InProcess, job: JobRow) -> TrialRow:
    (trial,) = service.store.trials.history(job.id)
    return trial


def test_the_database_is_away_three_times_during_an_evaluation(tmp_path: Path, server: Server) -> None:
    url = server.new_database()
    migrate.upgrade(url)
    service = InProcess(tmp_path / "home", url, lease_seconds=LEASE_SECONDS, search=TINY)
    upkeep = Upkeep(service.runner, ["q"])
    upkeep.start()
    try:
        job = held(service)
        for _ in range(3):
            server.kill()
            time.sleep(2.5 * LEASE_SECONDS)
            server.start()
            time.sleep(2.5 * LEASE_SECONDS)
        open_gate(service)
        # The driver let go meanwhile; what calls another one in a service with a broker is the reconciler.
        service.until(lambda: only_trial(service, job).state == "complete", "the trial completes")
        service.until(
            lambda: service.store.upkeep.requeue_lost_drivers(0.0) >= 0 and _ended(service, job), "the job ends"
        )
        trial = only_trial(service, job)
        assert (trial.attempts, service.starts()) == (1, 1), "the evaluation went on while the database was away"
        assert service.store.jobs.get(job.id).end_reason == "budget_trials"
    finally:
        upkeep.stop()
        service.close()


def _ended_with_a_new_driver(service: InProcess, job: JobRow) -> bool:
    """The reconciler of a service with a broker, and whether the job has ended."""
    service.store.upkeep.requeue_lost_drivers(0.0)
    return _ended(service, job)


def _ended(service: InProcess, job: JobRow) -> bool:
    return service.store.jobs.get(job.id).terminal


def test_a_full_disk_is_waited_for_and_told_to_nobody(start: Start) -> None:
    service = start(search=TINY)
    upkeep = Upkeep(service.runner, ["q"])
    upkeep.start()
    try:
        service.mode("full")
        job = service.submit(1, parallel=1)
        service.until(lambda: service.starts() >= 4, "more attempts than a poisonous design gets", 30)
        why = "tried again after disk_full"
        service.until(lambda: (only_trial(service, job).reason or "").startswith(why), "it says what it waits for")
        assert service.store.jobs.get(job.id).trials_done == 0
        service.mode("")
        ended = service.finish(job)
        trial = only_trial(service, job)
        assert (ended.end_reason, trial.state, trial.reason) == ("budget_trials", "complete", None)
        outcomes = [
            attempt.outcome for attempt in service.store.trials.attempts(trial.id) if attempt.purpose == "evaluate"
        ]
        assert set(outcomes[:-1]) == {"disk_full"} and outcomes[-1] == "complete"
    finally:
        upkeep.stop()


def test_an_evaluator_that_cannot_be_started_is_no_poison(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = start(search=TINY)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("workers.evaluation.Child", refuse)
    job = service.submit(1, parallel=1)
    service.until(lambda: _attempts(service, job) >= 4, "more attempts than a poisonous design gets", 30)
    monkeypatch.undo()
    service.until(lambda: service.store.upkeep.send_due_retries() >= 0 and _ended(service, job), "the job ends")
    assert only_trial(service, job).state == "complete"


def _attempts(service: InProcess, job: JobRow) -> int:
    service.store.upkeep.send_due_retries()
    trials = service.store.trials.history(job.id)
    return trials[0].attempts if trials else 0


def test_a_search_without_a_disk_is_driven_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service = start(search=TINY)
    make = "workers.driver._make_search"
    monkeypatch.setattr(make, lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    job = service.submit(4)
    service.until(lambda: service.store.jobs.get(job.id).state == "running", "a driver tried")
    monkeypatch.undo()
    service.until(lambda: _ended_with_a_new_driver(service, job), "the job ends")
    assert service.store.jobs.get(job.id).end_reason in ("budget_trials", "space_exhausted")


def test_causes_are_looked_at() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    tool = RuntimeError("g++: fatal error: error writing to /tmp/x.s: No space left on device")
    wrapped = RuntimeError("the build failed")
    wrapped.__cause__ = OSError(errno.EIO, "Input/output error")
    assert [outage(error) for error in (full, tool, wrapped)] == ["disk_full", "disk_full", "storage_failed"]
    for own in (ValueError("x"), MemoryError(), OSError(errno.EFBIG, "File too large"), KeyError("No space")):
        assert outage(own) is None


def test_a_scratch_directory_that_the_evaluation_filled_is_its_own_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = outages.shutil.disk_usage("/tmp")
    monkeypatch.setattr(outages.shutil, "disk_usage", lambda _: usage._replace(free=0))
    assert outage(OSError(errno.ENOSPC, "No space left on device")) is None
