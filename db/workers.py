"""The worker processes that were heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from db import convert, tables
from db.engine import Database
from db.rows import WorkerRow


class Workers:
    """``store.workers``: a process is alive while it is heard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def heard(self, worker_id: str, queues: Sequence[str], info: Mapping[str, Any]) -> None:
        """Note that a worker process lives; ``info`` says what /version and doctor should know of it."""
        workers = tables.workers
        with self._database.write() as connection:
            now = self._database.now(connection)
            values = {"queues": list(queues), "info": dict(info), "heard_at": now.steady}
            known = connection.execute(update(workers).where(workers.c.id == worker_id).values(**values))
            if not known.rowcount:
                connection.execute(insert(workers).values(id=worker_id, started_at=now.wall, **values))

    def gone(self, worker_id: str) -> None:
        """Forget a worker that shut down in order."""
        with self._database.write() as connection:
            connection.execute(delete(tables.workers).where(tables.workers.c.id == worker_id))

    def forget_silent(self, seconds: float) -> None:
        """Forget workers not heard for so long."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            connection.execute(delete(tables.workers).where(tables.workers.c.heard_at < now.steady - seconds))

    def alive(self, heard_within_seconds: float = 30.0) -> list[WorkerRow]:
        """Workers heard recently, oldest first."""
        workers = tables.workers
        with self._database.read() as connection:
            now = self._database.now(connection)
            heard = workers.c.heard_at >= now.steady - heard_within_seconds
            query = select(workers).where(heard).order_by(workers.c.started_at)
            return [convert.worker(row, now) for row in connection.execute(query).mappings()]
