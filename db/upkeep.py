"""Sweeps over what was lost: leases, messages, drivers; and over what is old.

Every sweep is idempotent: any number of workers may run it at any time.
"""

from __future__ import annotations

from sqlalchemy import delete, or_, select, update

from db import followups, tables, transition
from db.engine import Database
from db.jobs import purge_job
from db.rows import TERMINAL_JOB_STATES
from db.work import end_attempt


class Upkeep:
    """``store.upkeep``: run by whoever holds the maintenance lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reap_expired_leases(self, limit: int = 100) -> int:
        """End the attempts of workers that went silent; returns how many."""
        trials = tables.trials.c
        with self._database.read() as connection:
            now = self._database.now(connection)
            expired = select(trials.id).where(trials.lease_until < now.steady).limit(limit)
            ids = connection.execute(expired).scalars().all()
        return sum(self._reap(trial_id) for trial_id in ids)

    def _reap(self, trial_id: str) -> bool:
        with self._database.write() as connection:
            _, trial = transition.lock_trial(connection, trial_id)
            now = self._database.now(connection)
            if trial["lease_until"] is None or trial["lease_until"] >= now.steady:
                return False
            reason = f"worker {trial['lease_owner']} was not heard for its lease"
            end_attempt(connection, trial, now, "worker_lost", reason, "infrastructure")
            return True

    def settle_cancelling_jobs(self) -> None:
        """Finish cancelling jobs of which nothing runs (normally done by whoever ended the last trial)."""
        with self._database.read() as connection:
            ids = (
                connection.execute(select(tables.jobs.c.id).where(tables.jobs.c.state == "cancelling")).scalars().all()
            )
        for job_id in ids:
            with self._database.write() as connection:
                transition.lock_job(connection, job_id)
                transition.settle_cancelling(connection, job_id, self._database.now(connection))

    def requeue_lost_trials(self, older_than_seconds: float, limit: int = 1000) -> int:
        """Send the message of waiting trials and sign-offs again when the last one is older; returns how many."""
        trials, jobs = tables.trials.c, tables.jobs.c
        with self._database.write() as connection:
            now = self._database.now(connection)
            waiting = (
                select(trials.id)
                .join(tables.jobs, jobs.id == trials.job_id)
                .where(
                    followups.any_queued(),
                    jobs.state.in_(("queued", "running", "stopping")),
                    trials.lease_until.is_(None),
                    trials.retry_at.is_(None),
                    trials.published_at < now.steady - older_than_seconds,
                )
                .limit(limit)
            )
            ids = connection.execute(waiting).scalars().all()
            connection.execute(update(tables.trials).where(trials.id.in_(ids)).values(published_at=now.steady))
            transition.send(connection, "evaluate", ids, now)
            return len(ids)

    def send_due_retries(self, limit: int = 1000) -> int:
        """Send the message of work that an outage ended, now that its pause is over; returns how many."""
        trials = tables.trials.c
        with self._database.write() as connection:
            now = self._database.now(connection)
            due = select(trials.id).where(trials.retry_at <= now.steady).limit(limit)
            ids = connection.execute(due).scalars().all()
            changes = {"retry_at": None, "published_at": now.steady}
            connection.execute(update(tables.trials).where(trials.id.in_(ids)).values(**changes))
            transition.send(connection, "evaluate", ids, now)
            return len(ids)

    def requeue_lost_drivers(self, older_than_seconds: float, limit: int = 1000) -> int:
        """Call a driver again for jobs that have none; returns how many."""
        jobs = tables.jobs.c
        with self._database.write() as connection:
            now = self._database.now(connection)
            idle = select(jobs.id).where(
                jobs.state.in_(("queued", "running", "stopping")),
                or_(jobs.lease_until.is_(None), jobs.lease_until < now.steady),
                jobs.published_at < now.steady - older_than_seconds,
                jobs.deleted_at.is_(None),
            )
            ids = connection.execute(idle.limit(limit)).scalars().all()
            connection.execute(update(tables.jobs).where(jobs.id.in_(ids)).values(published_at=now.steady))
            transition.send(connection, "drive", ids, now)
            return len(ids)

    def purge_expired(self, job_seconds: float, evaluation_seconds: float, limit: int = 50) -> list[str]:
        """Delete jobs that ended, and cached evaluations that were made, longer ago; returns the jobs' ids."""
        jobs = tables.jobs.c
        with self._database.read() as connection:
            now = self._database.now(connection)
            old = select(jobs.id).where(
                jobs.state.in_(TERMINAL_JOB_STATES),
                jobs.deleted_at.is_(None),
                jobs.finished_at < now.wall - job_seconds,
            )
            ids = list(connection.execute(old.limit(limit)).scalars())
        for job_id in ids:
            with self._database.write() as connection:
                transition.lock_job(connection, job_id)
                purge_job(connection, job_id, now)
        with self._database.write() as connection:
            for table, age in ((tables.evaluations, evaluation_seconds), (tables.idempotency, job_seconds)):
                connection.execute(delete(table).where(table.c.created_at < now.wall - age))
        return ids
