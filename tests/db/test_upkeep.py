"""Upkeep and registry: lost messages, leases, workers, remembered evaluations, uploads, retention."""

from __future__ import annotations

import pytest

from db.errors import NotFoundError
from db.store import Store
from tests.db.given import LEASE, add, driven, new_job


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
