"""The contract of the store, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from db.errors import (
    CursorError,
    GoneError,
    IdempotencyMismatchError,
    NotFoundError,
    StateConflictError,
)
from db.rows import JobLease, JobRow, NewJob, TrialRow
from db.store import Store

LEASE = 30.0


def new_job(trials: int = 10, **more: object) -> NewJob:
    fields = {"labels": {}, "wall_seconds": 900.0, "parallel_trials": 2} | more
    return NewJob("sha256:m", None, {"model": "sha256:m"}, trials, **fields)  # type: ignore[arg-type]


def driven(store: Store, trials: int = 10) -> tuple[JobRow, JobLease]:
    job = store.create_job(new_job(trials)).job
    lease = store.claim_job(job.id, "driver", LEASE)
    assert lease is not None
    return job, lease


def add(store: Store, job: JobRow, lease: JobLease, name: str) -> TrialRow:
    trial = store.add_trial(job.id, lease.fence, {"c": name}, f"sha256:{name}")
    assert trial is not None
    return trial


def complete(store: Store, trial: TrialRow) -> None:
    claim = store.claim_trial(trial.id, "worker", LEASE)
    assert claim is not None
    assert store.record_result(trial.id, claim.fence, {"state": "complete", "metrics": {"accuracy": 0.5}})


def sequence(store: Store, job: JobRow) -> list[int]:
    return [event.seq for event in store.list_events(job.id, limit=100_000)]


def test_create_writes_job_event_and_message_together(store: Store) -> None:
    job = store.create_job(new_job(labels={"team": "edge"})).job
    assert (job.state, job.seq, job.trials_total, job.labels) == ("queued", 1, 10, {"team": "edge"})
    assert [(e.seq, e.type, e.data) for e in store.list_events(job.id)] == [(1, "job", {"state": "queued"})]
    assert [(m.task, m.target_id) for m in store.pending_messages()] == [("drive", job.id)]
    store.messages_sent([m.id for m in store.pending_messages()])
    assert store.pending_messages() == []


def test_idempotency_key_replays_or_refuses(store: Store) -> None:
    first = store.create_job(new_job(), key="k", fingerprint="a")
    again = store.create_job(new_job(), key="k", fingerprint="a")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.job.id == first.job.id
    with pytest.raises(IdempotencyMismatchError):
        store.create_job(new_job(), key="k", fingerprint="b")
    assert len(store.list_jobs().items) == 1
    store.cancel_job(first.job.id)
    store.delete_job(first.job.id)
    with pytest.raises(GoneError):
        store.create_job(new_job(), key="k", fingerprint="a")


def test_idempotency_key_under_concurrency_makes_one_job(store: Store) -> None:
    gate = threading.Barrier(8)

    def submit(_: int) -> str:
        gate.wait()
        return store.create_job(new_job(), key="same", fingerprint="a").job.id

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(submit, range(8)))
    assert len(ids) == 1
    assert len(store.list_jobs().items) == 1


def test_jobs_page_newest_first_with_filters(store: Store) -> None:
    ids = [store.create_job(new_job(labels={"n": str(i % 2)})).job.id for i in range(7)]
    seen, cursor = [], None
    while True:
        page = store.list_jobs(cursor=cursor, limit=3)
        seen += [job.id for job in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert [job.id for job in store.list_jobs(label=("n", "1")).items] == ids[1::2][::-1]
    store.pause_job(ids[0])
    assert [job.id for job in store.list_jobs(state="paused").items] == [ids[0]]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "W10", "W251bGxd", "A" * 600, "WzEsMl0", "WyJhIiwiYiJd", "é"])
def test_foreign_cursors_are_refused(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError):
        store.list_jobs(cursor=cursor)
    if cursor != "WzFd":
        job = store.create_job(new_job()).job
        with pytest.raises(CursorError):
            store.list_trials(job.id, cursor=cursor)


def test_one_driver_at_a_time_and_fenced(store: Store) -> None:
    job = store.create_job(new_job()).job
    first = store.claim_job(job.id, "one", 0.0)
    assert first is not None
    second = store.claim_job(job.id, "two", LEASE)
    assert second is not None
    assert second.fence > first.fence
    assert store.claim_job(job.id, "three", LEASE) is None
    assert store.heartbeat_job(job.id, first.fence, LEASE) is None
    assert store.add_trial(job.id, first.fence, {}, "h") is None
    assert not store.set_progress(job.id, first.fence, 1.0, {}, [])
    assert not store.finish_job(job.id, first.fence, "succeeded")
    assert store.add_trial(job.id, second.fence, {}, "h") is not None


def test_trial_numbers_count_up_and_stop_at_the_budget(store: Store) -> None:
    job, lease = driven(store, trials=3)
    assert [add(store, job, lease, str(i)).number for i in range(3)] == [0, 1, 2]
    assert store.add_trial(job.id, lease.fence, {}, "h") is None
    store.patch_job(job.id, trials=4)
    assert add(store, job, lease, "more").number == 3


def test_one_claim_wins(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    gate = threading.Barrier(6)

    def claim(n: int) -> bool:
        gate.wait()
        return store.claim_trial(trial.id, f"w{n}", LEASE) is not None

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(claim, range(6))) == 1
    assert store.get_trial(trial.id).attempts == 1


def test_late_write_after_a_lost_lease_is_refused(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    stale = store.claim_trial(trial.id, "slow", 0.0)
    assert stale is not None
    assert store.reap_expired_leases() == 1
    assert store.heartbeat_trial(trial.id, stale.fence, LEASE) is None
    fresh = store.claim_trial(trial.id, "quick", LEASE)
    assert fresh is not None
    assert not store.record_result(trial.id, stale.fence, {"state": "infeasible", "reason": "late"})
    assert not store.record_fault(trial.id, stale.fence, "fault", "late")
    assert store.record_result(trial.id, fresh.fence, {"state": "complete", "metrics": {}})
    assert not store.record_result(trial.id, fresh.fence, {"state": "infeasible"})
    row = store.get_trial(trial.id)
    assert (row.state, row.attempts) == ("complete", 2)
    assert [(a.outcome, a.worker) for a in store.list_attempts(trial.id)] == [
        ("worker_lost", "slow"),
        ("complete", "quick"),
    ]


def test_poison_after_three_faults(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for fault in range(3):
        claim = store.claim_trial(trial.id, "w", LEASE)
        assert claim is not None, fault
        assert store.record_fault(trial.id, claim.fence, "evaluator_died", "killed by signal 9")
    row = store.get_trial(trial.id)
    assert row.state == "failed"
    assert row.reason is not None and row.reason.startswith("poison") and "signal 9" in row.reason
    assert store.claim_trial(trial.id, "w", LEASE) is None
    assert len(store.list_attempts(trial.id)) == 3


def test_orderly_shutdown_is_no_fault(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    for _ in range(5):
        claim = store.claim_trial(trial.id, "w", LEASE)
        assert claim is not None
        store.record_fault(trial.id, claim.fence, "worker_shutdown", "restart", counts=False)
    assert store.get_trial(trial.id).state == "queued"


def test_cancel_waits_for_what_runs(store: Store) -> None:
    job, lease = driven(store)
    running, waiting = add(store, job, lease, "a"), add(store, job, lease, "b")
    claim = store.claim_trial(running.id, "w", LEASE)
    assert claim is not None
    assert store.cancel_job(job.id).state == "cancelling"
    assert store.cancel_job(job.id).state == "cancelling"
    assert store.get_trial(waiting.id).state == "cancelled"
    assert store.heartbeat_trial(running.id, claim.fence, LEASE) == "cancelling"
    assert store.claim_trial(waiting.id, "w", LEASE) is None
    assert store.record_fault(running.id, claim.fence, "cancelled", "cancelled", counts=False)
    ended = store.get_job(job.id)
    assert (ended.state, ended.counts["cancelled"]) == ("cancelled", 2)
    seq = ended.seq
    assert store.cancel_job(job.id).seq == seq
    assert store.list_events(job.id)[-1].type == "end"
    assert not store.finish_job(job.id, lease.fence, "succeeded")


def test_cancel_with_a_lost_worker_ends_by_the_reaper(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    store.claim_trial(trial.id, "dead", 0.0)
    store.cancel_job(job.id)
    store.reap_expired_leases()
    assert (store.get_job(job.id).state, store.get_trial(trial.id).state) == ("cancelled", "cancelled")


def test_cancel_races_completion(store: Store) -> None:
    for number in range(15):
        job, lease = driven(store)
        trial = add(store, job, lease, str(number))
        claim = store.claim_trial(trial.id, "w", LEASE)
        assert claim is not None
        gate = threading.Barrier(2)

        def finish(trial: TrialRow = trial, fence: int = claim.fence, gate: threading.Barrier = gate) -> None:
            gate.wait()
            store.record_result(trial.id, fence, {"state": "complete", "metrics": {}})

        def end(job: JobRow = job, fence: int = lease.fence, gate: threading.Barrier = gate) -> None:
            gate.wait()
            store.cancel_job(job.id)
            store.finish_job(job.id, fence, "succeeded")

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(finish), threads.submit(end)]:
                done.result()
        assert store.get_trial(trial.id).state == "complete"
        states = [e.data["state"] for e in store.list_events(job.id) if e.type == "job"]
        assert states[-1] == "cancelled" and states.count("cancelled") == 1 and "succeeded" not in states
        assert sequence(store, job) == list(range(1, store.get_job(job.id).seq + 1))


def test_sequence_has_no_gap_under_concurrent_writers(store: Store) -> None:
    job, lease = driven(store, trials=40)
    trials = [add(store, job, lease, str(i)) for i in range(40)]

    def work(trial: TrialRow) -> None:
        complete(store, trial)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, trials))
    seq = sequence(store, job)
    assert seq == list(range(1, len(seq) + 1)) and seq[-1] == store.get_job(job.id).seq == store.get_job_seq(job.id)
    assert store.get_job(job.id).trials_done == 40


def test_trials_come_in_order_of_change(store: Store) -> None:
    job, lease = driven(store)
    trials = [add(store, job, lease, str(i)) for i in range(5)]
    before = store.get_job_seq(job.id)
    assert store.list_trials(job.id, since_seq=before).items == []
    complete(store, trials[1])
    complete(store, trials[0])
    assert [t.number for t in store.list_trials(job.id, since_seq=before).items] == [1, 0]
    everything, cursor = [], None
    while True:
        page = store.list_trials(job.id, cursor=cursor, limit=2)
        everything += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [t.number for t in everything] == [2, 3, 4, 1, 0]
    assert all(a.seq < b.seq for a, b in pairwise(everything))
    assert [t.number for t in store.list_trials(job.id, state="complete").items] == [1, 0]


def test_pause_resume_stop(store: Store) -> None:
    job, lease = driven(store)
    running, waiting = add(store, job, lease, "a"), add(store, job, lease, "b")
    claim = store.claim_trial(running.id, "w", LEASE)
    assert claim is not None
    assert store.pause_job(job.id).state == store.pause_job(job.id).state == "paused"
    assert store.claim_trial(waiting.id, "w", LEASE) is None
    assert store.add_trial(job.id, lease.fence, {}, "c") is None
    assert store.record_result(running.id, claim.fence, {"state": "complete", "metrics": {}})
    store.release_job(job.id, lease.fence)
    store.messages_sent([m.id for m in store.pending_messages()])
    assert store.resume_job(job.id).state == store.resume_job(job.id).state == "running"
    assert {(m.task, m.target_id) for m in store.pending_messages()} == {("evaluate", waiting.id), ("drive", job.id)}
    assert store.claim_trial(waiting.id, "w", LEASE) is not None
    assert store.stop_job(job.id).state == store.stop_job(job.id).state == "stopping"
    with pytest.raises(StateConflictError):
        store.pause_job(job.id)
    driver = store.claim_job(job.id, "d", LEASE)
    assert driver is not None and store.add_trial(job.id, driver.fence, {}, "d") is None
    assert store.finish_job(job.id, driver.fence, "succeeded")
    with pytest.raises(StateConflictError):
        store.resume_job(job.id)
    assert store.stop_job(job.id).state == "succeeded"


def test_limits_change_while_it_runs_only(store: Store) -> None:
    job, lease = driven(store)
    changed = store.patch_job(job.id, wall_seconds=5.0, parallel_trials=7)
    assert (changed.trials_total, changed.wall_seconds, changed.parallel_trials) == (10, 5.0, 7)
    assert store.patch_job(job.id, parallel_trials=7).seq == changed.seq
    store.finish_job(job.id, lease.fence, "failed", {"code": "x", "message": "y", "retryable": False})
    assert store.get_job(job.id).failure == {"code": "x", "message": "y", "retryable": False}
    with pytest.raises(StateConflictError):
        store.patch_job(job.id, trials=1)


def test_delete_only_terminal_then_gone(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    with pytest.raises(StateConflictError):
        store.delete_job(job.id)
    store.cancel_job(job.id)
    store.delete_job(job.id)
    for call in (store.get_job, store.get_job_seq, store.list_events, store.list_trials, store.delete_job):
        with pytest.raises(GoneError):
            call(job.id)
    with pytest.raises(NotFoundError):
        store.get_trial(trial.id)
    assert store.claim_trial(trial.id, "w", LEASE) is None
    assert store.list_jobs().items == []
    with pytest.raises(NotFoundError):
        store.get_job("job_x")


def test_sign_off_has_its_own_lease(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    assert store.request_sign_offs(job.id, lease.fence, [trial.id])
    assert store.request_sign_offs(job.id, lease.fence, [trial.id])
    claim = store.claim_trial(trial.id, "w", LEASE)
    assert claim is not None and claim.purpose == "sign_off"
    assert store.claim_trial(trial.id, "w", LEASE) is None
    assert store.record_sign_off(trial.id, claim.fence, {"equal": True})
    row = store.get_trial(trial.id)
    assert (row.state, row.sign_off, row.sign_off_result, row.attempts) == ("complete", "done", {"equal": True}, 1)
    assert [a.purpose for a in store.list_attempts(trial.id)] == ["evaluate", "sign_off"]


def test_failing_sign_offs_leave_the_trial_complete(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    store.request_sign_offs(job.id, lease.fence, [trial.id])
    for _ in range(3):
        claim = store.claim_trial(trial.id, "w", LEASE)
        assert claim is not None
        store.record_fault(trial.id, claim.fence, "evaluator_died", "x")
    row = store.get_trial(trial.id)
    assert (row.state, row.sign_off) == ("complete", "failed")


def test_evaluations_are_remembered_across_jobs(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    claim = store.claim_trial(trial.id, "w", LEASE)
    assert claim is not None
    result = {"state": "complete", "metrics": {"accuracy": 0.25}}
    assert store.record_result(trial.id, claim.fence, result, cache_key="sha256:k")
    assert store.cached_evaluation("sha256:k") == (trial.id, result)
    assert store.cached_evaluation("sha256:other") is None


def test_lost_messages_are_sent_again(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    store.messages_sent([m.id for m in store.pending_messages()])
    assert store.requeue_lost_trials(60.0) == store.requeue_lost_drivers(60.0) == 0
    assert store.requeue_lost_trials(0.0) == 1
    assert store.requeue_lost_drivers(0.0) == 0, "its driver is alive"
    assert [m.target_id for m in store.pending_messages()] == [trial.id]
    store.release_job(job.id, lease.fence)
    assert store.requeue_lost_drivers(0.0) == 1


def test_named_leases_and_workers(store: Store) -> None:
    assert store.acquire_lease("sweep", "a", LEASE)
    assert store.acquire_lease("sweep", "a", LEASE)
    assert not store.acquire_lease("sweep", "b", LEASE)
    store.release_lease("sweep", "b")
    assert not store.acquire_lease("sweep", "b", LEASE)
    store.release_lease("sweep", "a")
    assert store.acquire_lease("sweep", "b", 0.0)
    assert store.acquire_lease("sweep", "c", LEASE)
    store.worker_heard("w1", ["q"], {"a": 1})
    store.worker_heard("w1", ["q"], {"a": 2})
    assert [(w.id, w.info) for w in store.list_workers()] == [("w1", {"a": 2})]
    store.worker_gone("w1")
    assert store.list_workers() == []
    store.check()


def test_registry_keeps_the_first_upload(store: Store) -> None:
    first, created = store.add_model("sha256:a", "first", "onnx", 3, {"parameters": 1}, [])
    again, again_created = store.add_model("sha256:a", "second", "onnx", 3, {"parameters": 1}, [])
    assert (created, again_created, again.name) == (True, False, first.name)
    dataset, _ = store.add_dataset("sha256:d", "d", 7, {"inputs": {"shape": [7, 1], "dtype": "float32"}}, 9)
    assert store.get_dataset("sha256:d") == dataset
    assert [m.id for m in store.list_models().items] == ["sha256:a"]
    assert [d.samples for d in store.list_datasets(limit=1).items] == [7]
    sweep = store.add_sweep(store.new_sweep_id(), [{"job_id": "x"}])
    assert store.get_sweep(sweep.id).items == [{"job_id": "x"}]
    for call in (store.get_model, store.get_dataset, store.get_sweep, store.get_trial):
        with pytest.raises(NotFoundError):
            call("sha256:none")


def test_retention_deletes_ended_jobs_only(store: Store) -> None:
    ended, running = store.create_job(new_job()).job, store.create_job(new_job()).job
    store.cancel_job(ended.id)
    assert store.purge_expired(3600.0, 3600.0) == []
    assert store.purge_expired(0.0, 0.0) == [ended.id]
    assert store.get_job(running.id).state == "queued"
    assert store.count_jobs() == {"queued": 1}
    assert store.count_all_trials() == {}
