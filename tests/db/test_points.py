"""Trials as points, on every database."""

import json

import pytest

from db.errors import GoneError, NotFoundError
from db.store import Store
from tests.db.given import add, complete, driven


def test_points_of_trials_with_and_without_a_result(store: Store) -> None:
    job, lease = driven(store)
    ended, waiting = add(store, job, lease, "a"), add(store, job, lease, 'with "quotes"')
    complete(store, ended)
    queued, done = store.points.after(job.id, 0, 10)
    assert (queued.id, queued.state, queued.metrics, queued.clock_source) == (waiting.id, "queued", None, None)
    assert json.loads(queued.candidate) == {"c": 'with "quotes"'}
    assert (done.id, done.state, done.attempts) == (ended.id, "complete", 1)
    assert json.loads(done.metrics or "") == {"accuracy": 0.5}
    assert [point.id for point in store.points.after(job.id, queued.seq, 10)] == [ended.id]
    assert [point.id for point in store.points.after(job.id, 0, 1)] == [waiting.id]
    assert [point.id for point in store.points.numbered(job.id, -1, 10)] == [ended.id, waiting.id]
    assert [point.id for point in store.points.numbered(job.id, 0, 10)] == [waiting.id]
    assert done.routed_metrics is None


def test_points_of_a_job_that_is_not_there(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.points.after("none", 0, 10)
    job, lease = driven(store)
    assert store.searches.finish(job.id, lease.fence, "stopped")
    store.jobs.delete(job.id)
    with pytest.raises(GoneError):
        store.points.after(job.id, 0, 10)
