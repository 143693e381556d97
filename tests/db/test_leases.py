"""Drivers and workers hold leases: one wins, a late write of a lost one is refused, faults are counted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import update

from db import tables
from db.store import Store
from tests.db.given import LEASE, add, complete, driven, new_job


def test_one_driver_at_a_time_and_fenced(store: Store) -> None:
    job = store.jobs.create(new_job()).job
    first = store.searches.claim(job.id, "one", 0.0)
    assert first is not None
    second = store.searches.claim(job.id, "two", LEASE)
    assert second is not None
    assert second.fence > first.fence
    assert store.searches.claim(job.id, "three", LEASE) is None
    assert store.searches.heartbeat(job.id, first.fence, LEASE) is None
    assert store.searches.add_trial(job.id, first.fence, {}, "h") is None
    assert not store.searches.set_progress(job.id, first.fence, 1.0, {}, [])
    assert not store.searches.finish(job.id, first.fence, "budget_trials")
    assert store.searches.add_trial(job.id, second.fence, {}, "h") is not None


def test_trial_numbers_count_up_and_stop_at_the_budget(store: Store) -> None:
    job, lease = driven(store, trials=3)
    assert [add(store, job, lease, str(i)).number for i in range(3)] == [0, 1, 2]
    assert store.searches.add_trial(job.id, lease.fence, {}, "h") is None
    store.jobs.limit(job.id, trials=4)
    assert add(store, job, lease, "more").number == 3


def test_one_claim_wins(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    gate = threading.Barrier(6)

    def claim(n: int) -> bool:
        gate.wait()
        return store.work.claim(trial.id, f"w{n}", LEASE) is not None

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(claim, range(6))) == 1
    assert store.trials.get(trial.id).attempts == 1


def test_late_write_after_a_lost_lease_is_refused(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    stale = store.work.claim(trial.id, "slow", 0.0)
    assert stale is not None
    assert store.upkeep.reap_expired_leases() == 1
    assert store.work.heartbeat(trial.id, stale.fence, LEASE) is None
    fresh = store.work.claim(trial.id, "quick", LEASE)
    assert fresh is not None
    assert not store.work.record_result(trial.id, stale.fence, {"state": "infeasible", "reason": "late"})
    assert not store.work.record_fault(trial.id, stale.fence, "fault", "late")
    assert store.work.record_result(trial.id, fresh.fence, {"state": "complete", "metrics": {}})
    assert not store.work.record_result(trial.id, fresh.fence, {"state": "infeasible"})
    row = store.trials.get(trial.id)
    assert (row.state, row.attempts) == ("complete", 2)
    assert [(a.outcome, a.worker) for a in store.trials.attempts(trial.id)] == [
        ("worker_lost", "slow"),
        ("complete", "quick"),
    ]


def test_poison_after_three_faults(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for fault in range(3):
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None, fault
        assert store.work.record_fault(trial.id, claim.fence, "evaluator_died", "killed by signal 9")
    row = store.trials.get(trial.id)
    assert row.state == "failed"
    assert row.reason is not None and row.reason.startswith("poison") and "signal 9" in row.reason
    assert store.work.claim(trial.id, "w", LEASE) is None
    assert len(store.trials.attempts(trial.id)) == 3


def test_orderly_shutdown_is_no_fault(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for _ in range(5):
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None
        store.work.record_fault(trial.id, claim.fence, "worker_shutdown", "restart", kind="withdrawal")
    assert store.trials.get(trial.id).state == "queued"


def test_sign_off_has_its_own_lease(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    assert store.searches.request("sign_off", job.id, lease.fence, [trial.id])
    assert store.searches.request("sign_off", job.id, lease.fence, [trial.id])
    claim = store.work.claim(trial.id, "w", LEASE)
    assert claim is not None and claim.purpose == "sign_off"
    assert store.work.claim(trial.id, "w", LEASE) is None
    assert store.work.record_follow_up("sign_off", trial.id, claim.fence, {"equal": True})
    row = store.trials.get(trial.id)
    assert (row.state, row.sign_off, row.sign_off_result, row.attempts) == ("complete", "done", {"equal": True}, 1)
    assert [a.purpose for a in store.trials.attempts(trial.id)] == ["evaluate", "sign_off"]


def test_failing_sign_offs_leave_the_trial_complete(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    store.searches.request("sign_off", job.id, lease.fence, [trial.id])
    for _ in range(3):
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None
        store.work.record_fault(trial.id, claim.fence, "evaluator_died", "x")
    row = store.trials.get(trial.id)
    assert (row.state, row.sign_off) == ("complete", "failed")


def test_routing_follows_sign_off_and_a_lost_router_loses_no_trial(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    for purpose, answer in (("sign_off", {"equal": True}), ("routing", {"metrics": {"meas_fmax_mhz": 71.0}})):
        store.searches.request(purpose, job.id, lease.fence, [trial.id])
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None and claim.purpose == purpose
        assert store.work.record_follow_up(purpose, trial.id, claim.fence, answer)
    row = store.trials.get(trial.id)
    assert (row.sign_off, row.routing) == ("done", "done")
    assert row.routing_result == {"metrics": {"meas_fmax_mhz": 71.0}}
    assert row.result is not None and row.result["metrics"] == {"accuracy": 0.5}, "what the search saw stays"
    assert store.events.after(job.id, limit=100)[-1].data["metrics"] == {"accuracy": 0.5, "meas_fmax_mhz": 71.0}

    other = add(store, job, lease, "b")
    complete(store, other)
    store.searches.request("routing", job.id, lease.fence, [other.id])
    for _ in range(3):
        claim = store.work.claim(other.id, "w", LEASE)
        assert claim is not None
        store.work.record_fault(other.id, claim.fence, "evaluator_died", "x")
    row = store.trials.get(other.id)
    assert (row.state, row.sign_off, row.routing) == ("complete", None, "failed")
    assert row.routing_result is not None and "evaluator_died" in row.routing_result["error"]


def test_cancelled_trials_use_up_no_budget(store: Store) -> None:
    job, lease = driven(store, trials=3)
    trials = [add(store, job, lease, str(i)) for i in range(3)]
    complete(store, trials[0])
    assert store.searches.drop_queued(job.id, lease.fence, "the wall-clock budget was used up")
    store.jobs.limit(job.id, wall_seconds=9000.0)
    assert [add(store, job, lease, f"more{i}").number for i in range(2)] == [3, 4]
    assert store.searches.add_trial(job.id, lease.fence, {}, "h") is None


def test_outages_are_never_poison_and_are_tried_again_after_ever_longer_pauses(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for outages in range(6):
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None, outages
        assert store.work.record_fault(trial.id, claim.fence, "disk_full", "no space", kind="infrastructure")
        assert store.trials.get(trial.id).state == "queued"
        store.outbox.sent([m.id for m in store.outbox.pending()])
        assert (store.upkeep.send_due_retries(), store.upkeep.requeue_lost_trials(0.0)) == (0, 1 if outages == 0 else 0)
        assert (store.work.claim(trial.id, "w", LEASE) is not None) == (outages == 0), "the first time at once"
        if outages == 0:
            store.upkeep.reap_expired_leases()
            running = store.trials.attempts(trial.id)[-1]
            assert store.work.record_fault(trial.id, running.fence, "worker_shutdown", "restart", kind="withdrawal")
        else:
            pause_ends_now(store, trial.id)
            assert store.upkeep.send_due_retries() == 1
            assert [m.target_id for m in store.outbox.pending()] == [trial.id]


def pause_ends_now(store: Store, trial_id: str) -> None:
    with store.database.write() as connection:
        connection.execute(update(tables.trials).where(tables.trials.c.id == trial_id).values(retry_at=0.0))


def test_lost_workers_poison_nothing(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for _ in range(5):
        assert store.work.claim(trial.id, "dead", 0.0) is not None
        assert store.upkeep.reap_expired_leases() == 1
        pause_ends_now(store, trial.id)
        store.upkeep.send_due_retries()
    assert store.trials.get(trial.id).state == "queued"
    assert {attempt.outcome for attempt in store.trials.attempts(trial.id)} == {"worker_lost"}


def test_a_pause_holds_no_cancelling_up(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for _ in range(2):
        claim = store.work.claim(trial.id, "w", LEASE)
        assert claim is not None
        store.work.record_fault(trial.id, claim.fence, "disk_full", "no space", kind="infrastructure")
    assert store.jobs.cancel(job.id).state == "cancelled"
    pause_ends_now(store, trial.id)
    store.upkeep.send_due_retries()
    assert store.work.claim(trial.id, "w", LEASE) is None
