"""Trials as users see them: read and list."""

from __future__ import annotations

from sqlalchemy import func, select

from db import convert, paging, tables, transition
from db.engine import Database
from db.errors import NotFoundError
from db.rows import AttemptRow, Page, TrialRow


class Trials:
    """``store.trials``: the candidates of a job and what became of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, trial_id: str) -> TrialRow:
        """One trial. Raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(select(tables.trials).where(tables.trials.c.id == trial_id)).mappings().first()
        if row is None:
            raise NotFoundError(f"no trial {trial_id!r}")
        return convert.trial(row)

    def get_all(self, trial_ids: list[str]) -> list[TrialRow]:
        """The trials with these ids that exist, by number."""
        query = select(tables.trials).where(tables.trials.c.id.in_(trial_ids)).order_by(tables.trials.c.number)
        with self._database.read() as connection:
            return [convert.trial(row) for row in connection.execute(query).mappings()]

    def page(
        self,
        job_id: str,
        since_seq: int = 0,
        state: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[TrialRow]:
        """Trials changed after ``since_seq``, in order of their last change.

        Raises NotFoundError or GoneError for the job, CursorError.
        """
        trials = tables.trials.c
        after = since_seq
        if cursor is not None:
            after = max(after, int(str(paging.decode(cursor, (int,))[0])))
        query = select(tables.trials).where(trials.job_id == job_id, trials.seq > after)
        if state is not None:
            query = query.where(trials.state == state)
        with self._database.read() as connection:
            transition.read_job(connection, job_id)
            rows = connection.execute(query.order_by(trials.seq).limit(limit + 1)).mappings().all()
        more, rows = len(rows) > limit, rows[:limit]
        return Page([convert.trial(row) for row in rows], paging.encode(rows[-1]["seq"]) if more else None)

    def history(self, job_id: str) -> list[TrialRow]:
        """Every trial of the job, by number: what a new driver restores the search from."""
        query = select(tables.trials).where(tables.trials.c.job_id == job_id).order_by(tables.trials.c.number)
        with self._database.read() as connection:
            return [convert.trial(row) for row in connection.execute(query).mappings()]

    def numbered(self, job_id: str, after: int, limit: int) -> list[TrialRow]:
        """The job's next trials with a number above ``after``, by number. Empty for an unknown job."""
        trials = tables.trials.c
        query = select(tables.trials).where(trials.job_id == job_id, trials.number > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(trials.number).limit(limit)).mappings()
            return [convert.trial(row) for row in rows]

    def attempts(self, trial_id: str) -> list[AttemptRow]:
        """Every start of the trial, oldest first; empty for an unknown trial."""
        query = select(tables.attempts).where(tables.attempts.c.trial_id == trial_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(tables.attempts.c.fence)).mappings()
            return [convert.attempt(row) for row in rows]

    def count(self) -> dict[str, int]:
        """Trial state -> number over all jobs."""
        trials = tables.trials.c
        with self._database.read() as connection:
            rows = connection.execute(select(trials.state, func.count()).group_by(trials.state))
            return {row[0]: row[1] for row in rows}
