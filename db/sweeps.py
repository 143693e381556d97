"""Groups of jobs that were submitted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from db import convert, tables, transition
from db.engine import Database
from db.registry import Registry
from db.rows import Page, SweepRow


class Sweeps:
    """``store.sweeps``: what became of each body of a sweep."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = Registry(database, tables.sweeps, "sweep")

    def new_id(self, key: str | None = None, fingerprint: str = "") -> str:
        """An id to create a sweep's jobs under before the sweep itself is stored; with a known key, its first id.

        Raises:
            IdempotencyMismatchError: the key was used for a sweep with another fingerprint.
        """
        sweep_id = convert.new_id("sweep")
        if key is None:
            return sweep_id
        with self._database.write() as connection:
            now = self._database.now(connection)
            return transition.claim_key(connection, f"sweep {key}", fingerprint, sweep_id, now) or sweep_id

    def add(self, sweep_id: str, items: Sequence[Mapping[str, Any]]) -> SweepRow:
        """Store what became of each body of a sweep; storing the same sweep again returns the first one."""
        row, _ = self._registry.add({"id": sweep_id, "items": [dict(item) for item in items]})
        return convert.sweep(row)

    def get(self, sweep_id: str) -> SweepRow:
        """One sweep. Raises NotFoundError."""
        return convert.sweep(self._registry.get(sweep_id))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[SweepRow]:
        """Sweeps, newest first. Raises CursorError."""
        rows, next_cursor = self._registry.page(cursor, limit)
        return Page([convert.sweep(row) for row in rows], next_cursor)
