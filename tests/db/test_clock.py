"""Leases and budgets are measured with a clock that nobody sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from db import clock
from db.store import Store
from tests.db.given import LEASE, add, complete, driven

HOUR = 3600.0


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the wall clock of this process."""
    true = time.time

    def to(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: true() + seconds)

    return to


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_leases_do_not_see_the_wall_clock(store: Store, jump: Callable[[float], None], seconds: float) -> None:
    job, lease = driven(store)
    kept, lost = add(store, job, lease, "a"), add(store, job, lease, "b")
    assert store.work.claim(kept.id, "w", LEASE) and store.work.claim(lost.id, "dead", 0.0)
    assert store.leases.acquire("sweep", "a", LEASE)
    store.workers.heard("w", ["q"], {})
    jump(seconds)
    assert store.upkeep.reap_expired_leases() == 1
    assert (store.trials.get(kept.id).state, store.trials.get(lost.id).state) == ("running", "queued")
    assert store.searches.claim(job.id, "other", LEASE) is None
    assert not store.leases.acquire("sweep", "b", LEASE)
    assert [worker.id for worker in store.workers.alive(10.0)] == ["w"]
    assert store.upkeep.requeue_lost_trials(60.0) == 0 and store.upkeep.requeue_lost_trials(0.0) == 1


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_budgets_do_not_see_the_wall_clock(store: Store, jump: Callable[[float], None], seconds: float) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    claim = store.work.claim(trial.id, "w", LEASE)
    assert claim is not None
    jump(seconds)
    assert 0.0 <= store.jobs.get(job.id).search_seconds < HOUR / 2
    assert store.work.record_result(trial.id, claim.fence, {"state": "complete", "metrics": {}})
    assert 0.0 < store.jobs.get(job.id).search_seconds < HOUR / 2


def test_processes_agree_on_the_time(database_url: str) -> None:
    one, two = Store(database_url), Store(database_url)
    job, _ = driven(one)
    assert two.searches.claim(job.id, "other", LEASE) is None, "the lease of one holds for the other"
    one.close()
    two.close()


def test_leases_of_an_earlier_boot_have_ended(
    tmp_path: Path, sqlite_template: Path, jump: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "headrace.db"
    path.write_bytes(sqlite_template.read_bytes())
    before = Store(f"sqlite:///{path}")
    job, lease = driven(before)
    trial = add(before, job, lease, "a")
    assert before.work.claim(trial.id, "w", LEASE)
    spent = before.jobs.get(job.id).search_seconds
    before.close()
    (tmp_path / "boot_id").write_text("another boot\n")
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "boot_id")
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    true = time.clock_gettime
    monkeypatch.setattr(
        time, "clock_gettime", lambda kind: true(kind) - up if kind == time.CLOCK_BOOTTIME else true(kind)
    )
    jump(-HOUR)  # the machine forgot the time
    after = Store(f"sqlite:///{path}")
    assert after.upkeep.reap_expired_leases() == 1
    assert after.searches.claim(job.id, "new", LEASE) is not None
    assert after.upkeep.requeue_lost_trials(0.0) == 1
    assert after.jobs.get(job.id).search_seconds <= spent + LEASE + 1.0
    after.close()


def test_a_budget_runs_only_while_a_trial_has_a_slot(store: Store) -> None:
    job, lease = driven(store)
    first, second = add(store, job, lease, "a"), add(store, job, lease, "b")
    waiting = store.jobs.get(job.id).search_seconds
    time.sleep(0.1)
    assert store.jobs.get(job.id).search_seconds == waiting, "both wait for a slot"
    claim = store.work.claim(first.id, "w", LEASE)
    assert claim is not None
    time.sleep(0.1)
    assert store.jobs.get(job.id).search_seconds >= waiting + 0.1
    assert store.work.record_result(first.id, claim.fence, {"state": "complete", "metrics": {}})
    once = store.jobs.get(job.id).search_seconds
    time.sleep(0.1)
    assert store.jobs.get(job.id).search_seconds == once, "the other one waits"
    complete(store, second)
    thinking = store.jobs.get(job.id).search_seconds
    time.sleep(0.1)
    assert store.jobs.get(job.id).search_seconds >= thinking + 0.1, "the driver thinks of the next ones"
    store.jobs.pause(job.id)
    paused = store.jobs.get(job.id).search_seconds
    time.sleep(0.1)
    assert store.jobs.get(job.id).search_seconds == paused
    store.jobs.resume(job.id)
    store.searches.release(job.id, lease.fence)
    released = store.jobs.get(job.id).search_seconds
    time.sleep(0.1)
    assert store.jobs.get(job.id).search_seconds == released, "nobody drives it"


def test_time_without_any_worker_costs_nothing(store: Store) -> None:
    began = time.monotonic()
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    store.work.claim(trial.id, "dead", 0.1)
    store.searches.heartbeat(job.id, lease.fence, 0.0)
    time.sleep(0.5)
    assert store.searches.claim(job.id, "new", LEASE) is not None
    without_a_worker = 0.4
    assert store.jobs.get(job.id).search_seconds <= time.monotonic() - began - without_a_worker
