"""Verbs of maintenance: outbox, leases, sweeps over lost work, retention, workers heard, cached evaluations.

Every sweep is idempotent: any number of workers may run it at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, text, update

from db import convert, tables, transition
from db.engine import Database
from db.jobs import purge_job
from db.rows import TERMINAL_JOB_STATES, OutboxRow, WorkerRow
from db.trials import end_attempt


class UpkeepVerbs:
    """Part of ``Store``."""

    database: Database

    def check(self) -> None:
        """One round trip to the database; raises UnavailableError when it cannot be reached."""
        with self.database.read() as connection:
            connection.execute(text("SELECT 1"))

    def pending_messages(self, limit: int = 200) -> list[OutboxRow]:
        """The oldest messages that committed transactions want sent."""
        outbox = tables.outbox
        with self.database.read() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.id).limit(limit)).mappings()
            return [OutboxRow(row["id"], row["task"], row["target_id"]) for row in rows]

    def messages_sent(self, ids: Sequence[int]) -> None:
        """Forget messages that the broker has taken. Sending one twice does no harm; forgetting one early would."""
        with self.database.write() as connection:
            connection.execute(delete(tables.outbox).where(tables.outbox.c.id.in_(list(ids))))

    def reap_expired_leases(self, limit: int = 100) -> int:
        """End the attempts of workers that went silent; returns how many."""
        trials = tables.trials.c
        with self.database.read() as connection:
            now = self.database.now(connection)
            expired = select(trials.id).where(trials.lease_until < now.steady).limit(limit)
            ids = connection.execute(expired).scalars().all()
        return sum(self._reap(trial_id) for trial_id in ids)

    def _reap(self, trial_id: str) -> bool:
        with self.database.write() as connection:
            _, trial = transition.lock_trial(connection, trial_id)
            now = self.database.now(connection)
            if trial["lease_until"] is None or trial["lease_until"] >= now.steady:
                return False
            reason = f"worker {trial['lease_owner']} was not heard for its lease"
            end_attempt(connection, trial, now, "worker_lost", reason, "infrastructure")
            return True

    def settle_cancelling_jobs(self) -> None:
        """Finish cancelling jobs of which nothing runs (normally done by whoever ended the last trial)."""
        with self.database.read() as connection:
            ids = (
                connection.execute(select(tables.jobs.c.id).where(tables.jobs.c.state == "cancelling")).scalars().all()
            )
        for job_id in ids:
            with self.database.write() as connection:
                transition.lock_job(connection, job_id)
                transition.settle_cancelling(connection, job_id, self.database.now(connection))

    def requeue_lost_trials(self, older_than_seconds: float, limit: int = 1000) -> int:
        """Send the message of waiting trials and sign-offs again when the last one is older; returns how many."""
        trials, jobs = tables.trials.c, tables.jobs.c
        with self.database.write() as connection:
            now = self.database.now(connection)
            waiting = (
                select(trials.id)
                .join(tables.jobs, jobs.id == trials.job_id)
                .where(
                    or_(trials.state == "queued", trials.sign_off == "queued"),
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
        with self.database.write() as connection:
            now = self.database.now(connection)
            due = select(trials.id).where(trials.retry_at <= now.steady).limit(limit)
            ids = connection.execute(due).scalars().all()
            changes = {"retry_at": None, "published_at": now.steady}
            connection.execute(update(tables.trials).where(trials.id.in_(ids)).values(**changes))
            transition.send(connection, "evaluate", ids, now)
            return len(ids)

    def requeue_lost_drivers(self, older_than_seconds: float, limit: int = 1000) -> int:
        """Call a driver again for jobs that have none; returns how many."""
        jobs = tables.jobs.c
        with self.database.write() as connection:
            now = self.database.now(connection)
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
        with self.database.read() as connection:
            now = self.database.now(connection)
            old = select(jobs.id).where(
                jobs.state.in_(TERMINAL_JOB_STATES),
                jobs.deleted_at.is_(None),
                jobs.finished_at < now.wall - job_seconds,
            )
            ids = list(connection.execute(old.limit(limit)).scalars())
        for job_id in ids:
            with self.database.write() as connection:
                transition.lock_job(connection, job_id)
                purge_job(connection, job_id, now)
        with self.database.write() as connection:
            for table, age in ((tables.evaluations, evaluation_seconds), (tables.idempotency, job_seconds)):
                connection.execute(delete(table).where(table.c.created_at < now.wall - age))
        return ids

    def acquire_lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or extend a named lease; False while another owner has it."""
        leases = tables.leases
        with self.database.write() as connection:
            now = self.database.now(connection)
            values = {"name": name, "owner": owner, "until": now.steady + seconds}
            if transition.insert_if_absent(connection, leases, values):
                return True
            mine = or_(leases.c.owner == owner, leases.c.until < now.steady)
            taken = update(leases).where(leases.c.name == name, mine).values(owner=owner, until=now.steady + seconds)
            return connection.execute(taken).rowcount == 1

    def release_lease(self, name: str, owner: str) -> None:
        """Give a named lease back, if it is still ours."""
        leases = tables.leases.c
        with self.database.write() as connection:
            connection.execute(delete(tables.leases).where(leases.name == name, leases.owner == owner))

    def worker_heard(self, worker_id: str, queues: Sequence[str], info: Mapping[str, Any]) -> None:
        """Note that a worker process lives; ``info`` says what /version and doctor should know of it."""
        workers = tables.workers
        with self.database.write() as connection:
            now = self.database.now(connection)
            values = {"queues": list(queues), "info": dict(info), "heard_at": now.steady}
            known = connection.execute(update(workers).where(workers.c.id == worker_id).values(**values))
            if not known.rowcount:
                connection.execute(insert(workers).values(id=worker_id, started_at=now.wall, **values))

    def worker_gone(self, worker_id: str) -> None:
        """Forget a worker that shut down in order."""
        with self.database.write() as connection:
            connection.execute(delete(tables.workers).where(tables.workers.c.id == worker_id))

    def forget_silent_workers(self, seconds: float) -> None:
        """Forget workers not heard for so long."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            connection.execute(delete(tables.workers).where(tables.workers.c.heard_at < now.steady - seconds))

    def list_workers(self, heard_within_seconds: float = 30.0) -> list[WorkerRow]:
        """Workers heard recently, oldest first."""
        workers = tables.workers
        with self.database.read() as connection:
            now = self.database.now(connection)
            heard = workers.c.heard_at >= now.steady - heard_within_seconds
            query = select(workers).where(heard).order_by(workers.c.started_at)
            return [convert.worker(row, now) for row in connection.execute(query).mappings()]

    def cached_evaluation(self, key: str) -> tuple[str, Mapping[str, Any]] | None:
        """(trial id, ``TrialResult.to_json()``) of an equal evaluation, None when there was none."""
        evaluations = tables.evaluations
        with self.database.read() as connection:
            row = connection.execute(select(evaluations).where(evaluations.c.key == key)).mappings().first()
        return None if row is None else (row["trial_id"], row["result"])

    def count_jobs(self) -> dict[str, int]:
        """Job state -> number of jobs that are not deleted; states without a job are absent."""
        jobs = tables.jobs.c
        with self.database.read() as connection:
            rows = connection.execute(
                select(jobs.state, func.count()).where(jobs.deleted_at.is_(None)).group_by(jobs.state)
            )
            return {row[0]: row[1] for row in rows}

    def count_all_trials(self) -> dict[str, int]:
        """Trial state -> number over all jobs."""
        trials = tables.trials.c
        with self.database.read() as connection:
            rows = connection.execute(select(trials.state, func.count()).group_by(trials.state))
            return {row[0]: row[1] for row in rows}
