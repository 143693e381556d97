"""How long a job has been worked on: what its ``wall_seconds`` is compared with.

A job is worked on while one of its trials has a slot, or while its driver thinks of the next ones. It is not while all
it has waits behind other jobs, while it is paused, or while nobody holds a lease on any of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, RowMapping, func, select, update

from db import followups, tables
from db.clock import Moment


@contextmanager
def counted(connection: Connection, job_id: str, now: Moment) -> Iterator[None]:
    """Take the time up to now into the account of a job whose row is locked, around a change of it or its trials."""
    # After the last lease on the job nothing is known to have been done: its workers died, or the database was away.
    until = min(now.steady, _last_lease(connection, job_id, now))
    yield
    job = _read(connection, job_id)
    spent = seconds_worked(job, until)
    since = now.steady if _is_worked_on(connection, job) else None
    if (spent, since) != (job["worked_seconds"], job["worked_since"]):
        changes = {"worked_seconds": spent, "worked_since": since}
        connection.execute(update(tables.jobs).where(tables.jobs.c.id == job_id).values(**changes))


def seconds_worked(job: RowMapping, until: float) -> float:
    """Seconds that the job was worked on up to the steady time ``until``."""
    running = 0.0 if job["worked_since"] is None else max(0.0, until - job["worked_since"])
    return float(job["worked_seconds"] + running)


def _read(connection: Connection, job_id: str) -> RowMapping:
    return connection.execute(select(tables.jobs).where(tables.jobs.c.id == job_id)).mappings().one()


def _last_lease(connection: Connection, job_id: str, now: Moment) -> float:
    """When the last of the leases on a job and its trials ends or ended; now without any."""
    trials = tables.trials.c
    latest = connection.execute(select(func.max(trials.lease_until)).where(trials.job_id == job_id)).scalar()
    ends = [end for end in (_read(connection, job_id)["lease_until"], latest) if end is not None]
    return max(ends, default=now.steady)


def _is_worked_on(connection: Connection, job: RowMapping) -> bool:
    trials = tables.trials.c
    if job["state"] not in ("running", "stopping"):
        return False
    of_job = select(func.count()).where(trials.job_id == job["id"])
    if connection.execute(of_job.where(trials.lease_until.is_not(None))).scalar_one():
        return True
    waiting = of_job.where(followups.any_queued())
    return job["lease_until"] is not None and not connection.execute(waiting).scalar_one()
