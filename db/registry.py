"""Tables of things that are stored once under an id of their own, and never change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, select, tuple_

from db import paging, transition
from db.engine import Database
from db.errors import NotFoundError


class Registry:
    """One such table."""

    def __init__(self, database: Database, table: Table, noun: str) -> None:
        self._database = database
        self._table = table
        self._noun = noun

    def add(self, values: dict[str, Any]) -> tuple[transition.Row, bool]:
        """Store a row with the time unless its id is known; (the row that is stored, whether it is new)."""
        with self._database.write() as connection:
            values["created_at"] = self._database.now(connection).wall
            created = transition.insert_if_absent(connection, self._table, values)
            known = select(self._table).where(self._table.c.id == values["id"])
            return connection.execute(known).mappings().one(), created

    def get(self, row_id: str) -> transition.Row:
        """One row. Raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(select(self._table).where(self._table.c.id == row_id)).mappings().first()
        if row is None:
            raise NotFoundError(f"no {self._noun} {row_id!r}")
        return row

    def page(self, cursor: str | None, limit: int) -> tuple[Sequence[transition.Row], str | None]:
        """Rows, newest first, and the cursor of the next page. Raises CursorError."""
        query = select(self._table)
        key = tuple_(self._table.c.created_at, self._table.c.id)
        if cursor is not None:
            query = query.where(key < tuple_(*paging.decode(cursor, (float, str))))
        query = query.order_by(self._table.c.created_at.desc(), self._table.c.id.desc()).limit(limit + 1)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        more, rows = len(rows) > limit, rows[:limit]
        return rows, paging.encode(rows[-1]["created_at"], rows[-1]["id"]) if more else None
