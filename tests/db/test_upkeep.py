"""Upkeep and registry: lost messages, leases, workers, remembered evaluations, uploads, retention."""

from __future__ import annotations

import pytest

from db.errors import NotFoundError
from db.store import Store
from tests.db.given import LEASE, add, driven, new_job


def test_evaluations_are_remembered_across_jobs(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    claim = store.work.claim(trial.id, "w", LEASE)
    assert claim is not None
    result = {"state": "complete", "metrics": {"accuracy": 0.25}}
    assert store.work.record_result(trial.id, claim.fence, result, cache_key="sha256:k")
    assert store.work.known_result("sha256:k") == (trial.id, result)
    assert store.work.known_result("sha256:other") is None


def test_lost_messages_are_sent_again(store: Store) -> None:
    job, lease = driven(store)
    trial = add(store, job, lease, "a")
    store.outbox.sent([m.id for m in store.outbox.pending()])
    assert store.upkeep.requeue_lost_trials(60.0) == store.upkeep.requeue_lost_drivers(60.0) == 0
    assert store.upkeep.requeue_lost_trials(0.0) == 1
    assert store.upkeep.requeue_lost_drivers(0.0) == 0, "its driver is alive"
    assert [m.target_id for m in store.outbox.pending()] == [trial.id]
    store.searches.release(job.id, lease.fence)
    assert store.upkeep.requeue_lost_drivers(0.0) == 1


def test_named_leases_and_workers(store: Store) -> None:
    assert store.leases.acquire("sweep", "a", LEASE)
    assert store.leases.acquire("sweep", "a", LEASE)
    assert not store.leases.acquire("sweep", "b", LEASE)
    store.leases.release("sweep", "b")
    assert not store.leases.acquire("sweep", "b", LEASE)
    store.leases.release("sweep", "a")
    assert store.leases.acquire("sweep", "b", 0.0)
    assert store.leases.acquire("sweep", "c", LEASE)
    store.workers.heard("w1", ["q"], {"a": 1})
    store.workers.heard("w1", ["q"], {"a": 2})
    assert [(w.id, w.info) for w in store.workers.alive()] == [("w1", {"a": 2})]
    store.workers.gone("w1")
    assert store.workers.alive() == []
    store.check()


def test_registry_keeps_the_first_upload(store: Store) -> None:
    first, created = store.models.add("sha256:a", "first", "onnx", 3, {"parameters": 1}, [])
    again, again_created = store.models.add("sha256:a", "second", "onnx", 3, {"parameters": 1}, [])
    assert (created, again_created, again.name) == (True, False, first.name)
    dataset, _ = store.datasets.add("sha256:d", "d", 7, {"inputs": {"shape": [7, 1], "dtype": "float32"}}, 9)
    assert store.datasets.get("sha256:d") == dataset
    assert [m.id for m in store.models.page().items] == ["sha256:a"]
    assert [d.samples for d in store.datasets.page(limit=1).items] == [7]
    sweep = store.sweeps.add(store.sweeps.new_id(), [{"job_id": "x"}])
    assert store.sweeps.get(sweep.id).items == [{"job_id": "x"}]
    for call in (store.models.get, store.datasets.get, store.sweeps.get, store.trials.get):
        with pytest.raises(NotFoundError):
            call("sha256:none")


def test_retention_deletes_ended_jobs_only(store: Store) -> None:
    ended, running = store.jobs.create(new_job()).job, store.jobs.create(new_job()).job
    store.jobs.cancel(ended.id)
    assert store.upkeep.purge_expired(3600.0, 3600.0) == []
    assert store.upkeep.purge_expired(0.0, 0.0) == [ended.id]
    assert store.jobs.get(running.id).state == "queued"
    assert store.jobs.count() == {"queued": 1}
    assert store.trials.count() == {}
