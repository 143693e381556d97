"""The log of a job."""

from __future__ import annotations

from sqlalchemy import select

from db import convert, tables, transition
from db.engine import Database
from db.rows import EventRow


class Events:
    """``store.events``: everything that happened to a job, numbered 1, 2, 3, … without a gap."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, job_id: str, since_seq: int = 0, limit: int = 500) -> list[EventRow]:
        """Events with a sequence number above ``since_seq``, in order. Raises NotFoundError or GoneError."""
        events = tables.events
        query = select(events).where(events.c.job_id == job_id, events.c.seq > since_seq)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(events.c.seq).limit(limit)).mappings().all()
            if not rows:
                transition.read_job(connection, job_id)
            return [convert.event(row) for row in rows]
