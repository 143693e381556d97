"""Verbs on jobs, on both databases: creation with its message, keys, pages, limits, pause and stop, deletion."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from db.errors import CursorError, GoneError, IdempotencyMismatchError, NotFoundError, StateConflictError
from db.store import Store
from tests.db.given import LEASE, add, complete, driven, new_job


def test_create_writes_job_event_and_message_together(store: Store) -> None:
    job = store.jobs.create(new_job(labels={"team": "edge"})).job
    assert (job.state, job.seq, job.trials_total, job.labels) == ("queued", 1, 10, {"team": "edge"})
    assert [(e.seq, e.type, e.data) for e in store.events.after(job.id)] == [(1, "job", {"state": "queued"})]
    assert [(m.task, m.target_id) for m in store.outbox.pending()] == [("drive", job.id)]
    store.outbox.sent([m.id for m in store.outbox.pending()])
    assert store.outbox.pending() == []


def test_idempotency_key_replays_or_refuses(store: Store) -> None:
    first = store.jobs.create(new_job(), key="k", fingerprint="a")
    again = store.jobs.create(new_job(), key="k", fingerprint="a")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.job.id == first.job.id
    with pytest.raises(IdempotencyMismatchError):
        store.jobs.create(new_job(), key="k", fingerprint="b")
    assert len(store.jobs.page().items) == 1
    store.jobs.cancel(first.job.id)
    store.jobs.delete(first.job.id)
    with pytest.raises(GoneError):
        store.jobs.create(new_job(), key="k", fingerprint="a")


def test_idempotency_key_under_concurrency_makes_one_job(store: Store) -> None:
    gate = threading.Barrier(8)

    def submit(_: int) -> str:
        gate.wait()
        return store.jobs.create(new_job(), key="same", fingerprint="a").job.id

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(submit, range(8)))
    assert len(ids) == 1
    assert len(store.jobs.page().items) == 1


def test_jobs_page_newest_first_with_filters(store: Store) -> None:
    ids = [store.jobs.create(new_job(labels={"n": str(i % 2)})).job.id for i in range(7)]
    seen, cursor = [], None
    while True:
        page = store.jobs.page(cursor=cursor, limit=3)
        seen += [job.id for job in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert [job.id for job in store.jobs.page(label=("n", "1")).items] == ids[1::2][::-1]
    store.jobs.pause(ids[0])
    assert [job.id for job in store.jobs.page(state="paused").items] == [ids[0]]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "W10", "W251bGxd", "A" * 600, "WzEsMl0", "WyJhIiwiYiJd", "é"])
def test_foreign_cursors_are_refused(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError):
        store.jobs.page(cursor=cursor)
    if cursor != "WzFd":
        job = store.jobs.create(new_job()).job
        with pytest.raises(CursorError):
            store.trials.page(job.id, cursor=cursor)


def test_pause_resume_stop(store: Store) -> None:
    job, lease = driven(store)
    running, waiting = add(store, job, lease, "a"), add(store, job, lease, "b")
    claim = store.work.claim(running.id, "w", LEASE)
    assert claim is not None
    assert store.jobs.pause(job.id).state == store.jobs.pause(job.id).state == "paused"
    assert store.work.claim(waiting.id, "w", LEASE) is None
    assert store.searches.add_trial(job.id, lease.fence, {}, "c") is None
    assert store.work.record_result(running.id, claim.fence, {"state": "complete", "metrics": {}})
    store.searches.release(job.id, lease.fence)
    store.outbox.sent([m.id for m in store.outbox.pending()])
    assert store.jobs.resume(job.id).state == store.jobs.resume(job.id).state == "running"
    assert {(m.task, m.target_id) for m in store.outbox.pending()} == {("evaluate", waiting.id), ("drive", job.id)}
    assert store.work.claim(waiting.id, "w", LEASE) is not None
    assert store.jobs.stop(job.id).state == store.jobs.stop(job.id).state == "stopping"
    with pytest.raises(StateConflictError):
        store.jobs.pause(job.id)
    driver = store.searches.claim(job.id, "d", LEASE)
    assert driver is not None and store.searches.add_trial(job.id, driver.fence, {}, "d") is None
    assert store.searches.finish(job.id, driver.fence, "stopped")
    with pytest.raises(StateConflictError):
        store.jobs.resume(job.id)
    assert store.jobs.stop(job.id).state == "succeeded"


def test_limits_change_while_it_runs_only(store: Store) -> None:
    job, lease = driven(store)
    changed = store.jobs.limit(job.id, wall_seconds=5.0, parallel_trials=7)
    assert (changed.trials_total, changed.wall_seconds, changed.parallel_trials) == (10, 5.0, 7)
    assert store.jobs.limit(job.id, parallel_trials=7).seq == changed.seq
    store.searches.finish(job.id, lease.fence, "search_failed", {"code": "x", "message": "y", "retryable": False})
    assert store.jobs.get(job.id).failure == {"code": "x", "message": "y", "retryable": False}
    with pytest.raises(StateConflictError):
        store.jobs.limit(job.id, trials=1)


def test_delete_only_terminal_then_gone(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    with pytest.raises(StateConflictError):
        store.jobs.delete(job.id)
    store.jobs.cancel(job.id)
    store.jobs.delete(job.id)
    for call in (store.jobs.get, store.jobs.seq, store.events.after, store.trials.page, store.jobs.delete):
        with pytest.raises(GoneError):
            call(job.id)
    with pytest.raises(NotFoundError):
        store.trials.get(trial.id)
    assert store.work.claim(trial.id, "w", LEASE) is None
    assert store.jobs.page().items == []
    with pytest.raises(NotFoundError):
        store.jobs.get("job_x")


def test_resuming_calls_for_waiting_sign_offs(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    complete(store, trial)
    store.searches.request("sign_off", job.id, lease.fence, [trial.id])
    store.jobs.pause(job.id)
    assert store.work.claim(trial.id, "w", LEASE) is None
    store.outbox.sent([m.id for m in store.outbox.pending()])
    store.jobs.resume(job.id)
    assert ("evaluate", trial.id) in {(m.task, m.target_id) for m in store.outbox.pending()}
