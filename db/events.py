"""The log of a job."""

from __future__ import annotations

from sqlalchemy import select

from db import convert, tables, transition
from db.engine import Database
from db.rows import EventRow, VolumePoint


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

    def hypervolume(self, job_id: str) -> list[VolumePoint]:
        """Every step of the job's hypervolume, oldest first. Raises NotFoundError or GoneError."""
        events = tables.events.c
        steps = select(events.data, events.created_at).where(events.job_id == job_id, events.type == "progress")
        points: list[VolumePoint] = []
        with self._database.read() as connection:
            started = transition.read_job(connection, job_id)["started_at"]
            for data, when in connection.execute(steps.order_by(events.seq)):
                volume = data["hypervolume"]
                if volume is not None and (not points or points[-1]["hypervolume"] != volume):
                    seconds = max(0.0, when - started)
                    points.append(VolumePoint(trials=data["trials_done"], seconds=seconds, hypervolume=volume))
        return points
