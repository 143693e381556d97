"""Messages that committed transactions want sent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from db import tables
from db.engine import Database
from db.rows import OutboxRow


class Outbox:
    """``store.outbox``: sending a message twice does no harm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, limit: int = 200) -> list[OutboxRow]:
        """The oldest messages that committed transactions want sent."""
        outbox = tables.outbox
        with self._database.read() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.id).limit(limit)).mappings()
            return [OutboxRow(row["id"], row["task"], row["target_id"]) for row in rows]

    def sent(self, ids: Sequence[int]) -> None:
        """Forget messages that the broker has taken. Sending one twice does no harm; forgetting one early would."""
        with self._database.write() as connection:
            connection.execute(delete(tables.outbox).where(tables.outbox.c.id.in_(list(ids))))
