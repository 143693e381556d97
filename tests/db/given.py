"""Jobs and trials in a given state, for the tests of the store."""

from __future__ import annotations

from db.rows import JobLease, JobRow, NewJob, TrialRow
from db.store import Store

LEASE = 30.0


def new_job(trials: int = 10, **more: object) -> NewJob:
    fields = {"labels": {}, "wall_seconds": 900.0, "parallel_trials": 2} | more
    return NewJob("sha256:m", None, {"model": "sha256:m"}, trials, **fields)  # type: ignore[arg-type]


def driven(store: Store, trials: int = 10) -> tuple[JobRow, JobLease]:
    job = store.jobs.create(new_job(trials)).job
    lease = store.searches.claim(job.id, "driver", LEASE)
    assert lease is not None
    return job, lease


def add(store: Store, job: JobRow, lease: JobLease, name: str) -> TrialRow:
    trial = store.searches.add_trial(job.id, lease.fence, {"c": name}, f"sha256:{name}")
    assert trial is not None
    return trial


def complete(store: Store, trial: TrialRow) -> None:
    claim = store.work.claim(trial.id, "worker", LEASE)
    assert claim is not None
    assert store.work.record_result(trial.id, claim.fence, {"state": "complete", "metrics": {"accuracy": 0.5}})


def sequence(store: Store, job: JobRow) -> list[int]:
    return [event.seq for event in store.events.after(job.id, limit=100_000)]
