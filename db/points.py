"""Trials as points: what a plot or a table of a whole job shows of each, and nothing that has to be looked up apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Text, cast, select, type_coerce

from db import tables, transition
from db.engine import Database
from db.rows import PointRow


class Points:
    """``store.points``: all trials of a job at a fraction of what whole rows cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, job_id: str, since_seq: int, limit: int) -> Sequence[PointRow]:
        """Points of the trials that changed after ``since_seq``, in order of their last change.

        Raises:
            NotFoundError: there is no such job.
            GoneError: the job was deleted.
        """
        return self._read(job_id, tables.trials.c.seq, since_seq, limit)

    def numbered(self, job_id: str, after: int, limit: int) -> Sequence[PointRow]:
        """The job's next points with a number above ``after``, by number. Raises as ``after`` does."""
        return self._read(job_id, tables.trials.c.number, after, limit)

    def _read(self, job_id: str, order: Column[int], after: int, limit: int) -> Sequence[PointRow]:
        """JSON stays the text that is stored, so that ten thousand rows are not parsed only to be written again."""
        t = tables.trials.c
        query = (
            select(
                t.id,
                t.number,
                t.seq,
                t.state,
                t.reason,
                t.stage,
                t.attempts,
                t.created_at,
                t.started_at,
                t.finished_at,
                t.cached_from,
                t.sign_off,
                t.result["metrics"].as_string(),
                t.routing_result["metrics"].as_string(),
                t.result["constraints"].as_string(),
                t.result["clock_source"].as_string(),
                type_coerce(cast(t.candidate, Text), Text),
            )
            .where(t.job_id == job_id, order > after)
            .order_by(order)
            .limit(limit)
        )
        with self._database.read() as connection:
            transition.read_job(connection, job_id)
            rows: Iterable[tuple[Any, ...]] = map(tuple, connection.execute(query))
            return [PointRow(*row) for row in rows]
