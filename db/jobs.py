"""Jobs as users see them: create, read, list, and the state changes they may ask for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, tuple_, update

from db import convert, followups, paging, tables, transition
from db.clock import Moment
from db.engine import Database
from db.errors import StateConflictError
from db.rows import TERMINAL_JOB_STATES, CreatedJob, JobRow, NewJob, Page


class Jobs:
    """``store.jobs``: what users may ask of a job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, new: NewJob, key: str | None = None, fingerprint: str = "") -> CreatedJob:
        """Store a job with its first event and the message that starts it, in one transaction.

        Args:
            new: the job.
            key: Idempotency-Key of the caller; a second call with it returns the first call's job.
            fingerprint: hash of the request body, compared when the key was used before.

        Raises:
            IdempotencyMismatchError: the key was used with another fingerprint.
            GoneError: the key's job was deleted since.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            job_id = convert.new_id("job")
            if key is not None:
                known = transition.claim_key(connection, key, fingerprint, job_id, now)
                if known is not None:
                    return CreatedJob(transition.job_row(connection, known, now), replayed=True)
            connection.execute(
                insert(tables.jobs).values(
                    id=job_id,
                    state="queued",
                    model_id=new.model_id,
                    dataset_id=new.dataset_id,
                    sweep_id=new.sweep_id,
                    spec=dict(new.spec),
                    labels=dict(new.labels),
                    trials_total=new.trials_total,
                    wall_seconds=new.wall_seconds,
                    parallel_trials=new.parallel_trials,
                    best={},
                    front=[],
                    created_at=now.wall,
                    published_at=now.steady,
                )
            )
            labels = [{"job_id": job_id, "key": k, "value": v} for k, v in new.labels.items()]
            if labels:
                connection.execute(insert(tables.job_labels), labels)
            transition.emit(connection, job_id, "job", {"state": "queued"}, now)
            transition.send(connection, "drive", [job_id], now)
            return CreatedJob(transition.job_row(connection, job_id, now), replayed=False)

    def of_key(self, key: str, fingerprint: str) -> JobRow | None:
        """The job that an earlier call of ``create`` made with this key; None when there was none.

        Raises:
            IdempotencyMismatchError: the key was used with another fingerprint.
            GoneError: the key's job was deleted since.
        """
        with self._database.read() as connection:
            job_id = transition.resource_of_key(connection, key, fingerprint)
            return None if job_id is None else transition.job_row(connection, job_id, self._database.now(connection))

    def get(self, job_id: str) -> JobRow:
        """One job. Raises NotFoundError or GoneError."""
        with self._database.read() as connection:
            return transition.job_row(connection, job_id, self._database.now(connection))

    def seq(self, job_id: str) -> int:
        """The job's newest sequence number alone (one indexed row): enough to answer If-None-Match.

        Raises NotFoundError or GoneError.
        """
        with self._database.read() as connection:
            return int(transition.read_job(connection, job_id)["seq"])

    def page(
        self,
        state: str | None = None,
        label: tuple[str, str] | None = None,
        sweep_id: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        model: str | None = None,
        text: str | None = None,
    ) -> Page[JobRow]:
        """Jobs, newest first.

        Args:
            state: only jobs in this state.
            label: only jobs with this (key, value).
            sweep_id: only jobs of this sweep.
            cursor: ``next_cursor`` of the page before.
            limit: jobs per page.
            model: only jobs of the model with this id, or of those with exactly this name.
            text: only jobs with this text, in either case, in a label's value, the model's name, or their own id.

        Raises:
            CursorError: the cursor is not one of this list.
        """
        jobs = tables.jobs.c
        query = transition.NAMED_JOBS.where(jobs.deleted_at.is_(None))
        if model is not None:
            query = query.where(or_(jobs.model_id == model, tables.models.c.name == model))
        if text is not None:
            query = query.where(_mentions(text))
        if state is not None:
            query = query.where(jobs.state == state)
        if sweep_id is not None:
            query = query.where(jobs.sweep_id == sweep_id)
        if label is not None:
            labels = tables.job_labels.c
            query = query.where(
                jobs.id.in_(select(labels.job_id).where(labels.key == label[0], labels.value == label[1]))
            )
        if cursor is not None:
            query = query.where(tuple_(jobs.created_at, jobs.id) < tuple_(*paging.decode(cursor, (float, str))))
        query = query.order_by(jobs.created_at.desc(), jobs.id.desc()).limit(limit + 1)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
            more, rows = len(rows) > limit, rows[:limit]
            counts = transition.count_trials(connection, [row["id"] for row in rows])
            now = self._database.now(connection)
        items = [convert.job(row, counts.get(row["id"], {}), now) for row in rows]
        return Page(items, paging.encode(rows[-1]["created_at"], rows[-1]["id"]) if more else None)

    def of_sweeps(self, sweep_ids: Sequence[str]) -> dict[str, JobRow]:
        """Job id -> job, of all the jobs of these sweeps that are not deleted."""
        jobs = tables.jobs.c
        query = transition.NAMED_JOBS.where(jobs.sweep_id.in_(list(sweep_ids)), jobs.deleted_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
            counts = transition.count_trials(connection, [row["id"] for row in rows])
            now = self._database.now(connection)
        return {row["id"]: convert.job(row, counts.get(row["id"], {}), now) for row in rows}

    def count(self) -> dict[str, int]:
        """Job state -> number of jobs that are not deleted; states without a job are absent."""
        jobs = tables.jobs.c
        with self._database.read() as connection:
            rows = connection.execute(
                select(jobs.state, func.count()).where(jobs.deleted_at.is_(None)).group_by(jobs.state)
            )
            return {row[0]: row[1] for row in rows}

    def pause(self, job_id: str) -> JobRow:
        """Start nothing new; what runs goes on. Pausing a paused job changes nothing.

        Raises:
            StateConflictError: the job is stopping, cancelling or terminal.
        """
        with self._database.write() as connection:
            job, now = transition.lock_job(connection, job_id), self._database.now(connection)
            if job["state"] != "paused":
                _require(job, "pause", ("queued", "running"))
                transition.change_job(connection, job, "paused", now)
            return transition.job_row(connection, job_id, now)

    def resume(self, job_id: str) -> JobRow:
        """Go on after a pause; a job that runs is left as it is.

        Raises:
            StateConflictError: the job is stopping, cancelling or terminal.
        """
        with self._database.write() as connection:
            job, now = transition.lock_job(connection, job_id), self._database.now(connection)
            if job["state"] not in ("queued", "running"):
                _require(job, "resume", ("paused",))
                transition.change_job(connection, job, "queued" if job["started_at"] is None else "running", now)
                trials = tables.trials.c
                waiting = select(trials.id).where(trials.job_id == job_id, followups.any_queued())
                transition.send(connection, "evaluate", connection.execute(waiting).scalars().all(), now)
                transition.send(connection, "drive", [job_id], now)
            return transition.job_row(connection, job_id, now)

    def stop(self, job_id: str) -> JobRow:
        """Start nothing new, let what runs finish, then end as succeeded. No change once stopping or terminal.

        Raises:
            StateConflictError: the job is cancelling.
        """
        with self._database.write() as connection:
            job, now = transition.lock_job(connection, job_id), self._database.now(connection)
            if job["state"] not in ("stopping", *TERMINAL_JOB_STATES):
                _require(job, "stop", ("queued", "running", "paused"))
                transition.change_job(connection, job, "stopping", now)
                transition.cancel_queued_trials(connection, job_id, now, "the job was stopped")
                transition.withdraw_follow_ups(connection, job_id, now)
                transition.send(connection, "drive", [job_id], now)
            return transition.job_row(connection, job_id, now)

    def cancel(self, job_id: str) -> JobRow:
        """Kill what runs: ``cancelling`` until nothing of the job runs, then ``cancelled``. Terminal jobs stay."""
        with self._database.write() as connection:
            job, now = transition.lock_job(connection, job_id), self._database.now(connection)
            if job["state"] not in ("cancelling", *TERMINAL_JOB_STATES):
                transition.change_job(connection, job, "cancelling", now)
                transition.cancel_queued_trials(connection, job_id, now, "the job was cancelled")
                transition.withdraw_follow_ups(connection, job_id, now)
                transition.settle_cancelling(connection, job_id, now)
            return transition.job_row(connection, job_id, now)

    def limit(
        self,
        job_id: str,
        trials: int | None = None,
        wall_seconds: float | None = None,
        parallel_trials: int | None = None,
    ) -> JobRow:
        """Change limits of a job that has not ended; the driver follows within a second or two.

        Raises:
            StateConflictError: the job is terminal, stopping or cancelling.
        """
        asked = {"trials_total": trials, "wall_seconds": wall_seconds, "parallel_trials": parallel_trials}
        changes = {name: value for name, value in asked.items() if value is not None}
        with self._database.write() as connection:
            job, now = transition.lock_job(connection, job_id), self._database.now(connection)
            _require(job, "change the limits of", ("queued", "running", "paused"))
            if any(job[name] != value for name, value in changes.items()):
                transition.emit(connection, job_id, "limits", changes, now, **changes)
            return transition.job_row(connection, job_id, now)

    def delete(self, job_id: str) -> None:
        """Remove a terminal job with its trials and events; the id answers GoneError afterwards.

        Raises:
            StateConflictError: the job is not terminal.
        """
        with self._database.write() as connection:
            job, now = transition.lock_job(connection, job_id), self._database.now(connection)
            _require(job, "delete", TERMINAL_JOB_STATES)
            purge_job(connection, job_id, now)


def _mentions(text: str) -> ColumnElement[bool]:
    """Whether a label's value, the name of the model or the id of a job of ``NAMED_JOBS`` has a text in it."""
    labels = tables.job_labels.c
    labelled = select(labels.job_id).where(labels.value.icontains(text, autoescape=True))
    return or_(
        tables.jobs.c.id.in_(labelled),
        tables.models.c.name.icontains(text, autoescape=True),
        tables.jobs.c.id.icontains(text, autoescape=True),
    )


def purge_job(connection: Connection, job_id: str, now: Moment) -> None:
    """Leave only the tombstone of a job."""
    for table in (tables.trials, tables.events, tables.job_labels):
        connection.execute(delete(table).where(table.c.job_id == job_id))
    connection.execute(
        update(tables.jobs)
        .where(tables.jobs.c.id == job_id)
        .values(deleted_at=now.wall, spec={}, front=[], best={}, history=[])
    )


def _require(job: transition.Row, verb: str, states: tuple[str, ...]) -> None:
    if job["state"] not in states:
        allowed = f"{', '.join(states[:-1])} or {states[-1]}" if states[1:] else states[0]
        raise StateConflictError(f"cannot {verb} a job that is {job['state']}: it must be {allowed}", job["state"])
