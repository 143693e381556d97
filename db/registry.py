"""Verbs on uploaded models and datasets, and on sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select, tuple_

from db import convert, paging, tables, transition
from db.engine import Database
from db.errors import NotFoundError
from db.rows import DatasetRow, ModelRow, Page, SweepRow


class RegistryVerbs:
    """Part of ``Store``."""

    database: Database

    def add_model(
        self,
        model_id: str,
        name: str,
        format: str,
        size_bytes: int,
        graph: Mapping[str, Any],
        software: Sequence[Mapping[str, Any]],
    ) -> tuple[ModelRow, bool]:
        """Register a model by its content id; (the row, whether it is new). The first upload's row stays."""
        values = {
            "id": model_id,
            "name": name,
            "format": format,
            "size_bytes": size_bytes,
            "graph": dict(graph),
            "software": [dict(item) for item in software],
        }
        row, created = self._register(tables.models, values)
        return convert.model(row), created

    def get_model(self, model_id: str) -> ModelRow:
        """One model. Raises NotFoundError."""
        return convert.model(self._get(tables.models, model_id, "model"))

    def list_models(self, cursor: str | None = None, limit: int = 50) -> Page[ModelRow]:
        """Models, newest first. Raises CursorError."""
        rows, next_cursor = self._page(tables.models, cursor, limit)
        return Page([convert.model(row) for row in rows], next_cursor)

    def add_dataset(
        self, dataset_id: str, name: str, samples: int, arrays: Mapping[str, Any], size_bytes: int
    ) -> tuple[DatasetRow, bool]:
        """Register a dataset by its content id; (the row, whether it is new)."""
        values = {"id": dataset_id, "name": name, "samples": samples, "arrays": dict(arrays), "size_bytes": size_bytes}
        row, created = self._register(tables.datasets, values)
        return convert.dataset(row), created

    def get_dataset(self, dataset_id: str) -> DatasetRow:
        """One dataset. Raises NotFoundError."""
        return convert.dataset(self._get(tables.datasets, dataset_id, "dataset"))

    def list_datasets(self, cursor: str | None = None, limit: int = 50) -> Page[DatasetRow]:
        """Datasets, newest first. Raises CursorError."""
        rows, next_cursor = self._page(tables.datasets, cursor, limit)
        return Page([convert.dataset(row) for row in rows], next_cursor)

    def new_sweep_id(self, key: str | None = None, fingerprint: str = "") -> str:
        """An id to create a sweep's jobs under before the sweep itself is stored; with a known key, its first id.

        Raises:
            IdempotencyMismatchError: the key was used for a sweep with another fingerprint.
        """
        sweep_id = convert.new_id("sweep")
        if key is None:
            return sweep_id
        with self.database.write() as connection:
            now = self.database.now(connection)
            return transition.claim_key(connection, f"sweep {key}", fingerprint, sweep_id, now) or sweep_id

    def add_sweep(self, sweep_id: str, items: Sequence[Mapping[str, Any]]) -> SweepRow:
        """Store what became of each body of a sweep; storing the same sweep again returns the first one."""
        row, _ = self._register(tables.sweeps, {"id": sweep_id, "items": [dict(item) for item in items]})
        return SweepRow(row["id"], row["items"], convert.when(row["created_at"]))

    def get_sweep(self, sweep_id: str) -> SweepRow:
        """One sweep. Raises NotFoundError."""
        row = self._get(tables.sweeps, sweep_id, "sweep")
        return SweepRow(row["id"], row["items"], convert.when(row["created_at"]))

    def _register(self, table: Table, values: dict[str, Any]) -> tuple[transition.Row, bool]:
        with self.database.write() as connection:
            values["created_at"] = self.database.now(connection).wall
            created = transition.insert_if_absent(connection, table, values)
            return connection.execute(select(table).where(table.c.id == values["id"])).mappings().one(), created

    def _get(self, table: Table, row_id: str, noun: str) -> transition.Row:
        with self.database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == row_id)).mappings().first()
        if row is None:
            raise NotFoundError(f"no {noun} {row_id!r}")
        return row

    def _page(self, table: Table, cursor: str | None, limit: int) -> tuple[Sequence[transition.Row], str | None]:
        query = select(table)
        key = tuple_(table.c.created_at, table.c.id)
        if cursor is not None:
            query = query.where(key < tuple_(*paging.decode(cursor, (float, str))))
        query = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit + 1)
        with self.database.read() as connection:
            rows = connection.execute(query).mappings().all()
        more, rows = len(rows) > limit, rows[:limit]
        return rows, paging.encode(rows[-1]["created_at"], rows[-1]["id"]) if more else None
