"""Uploaded models and datasets, by their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select

from db import convert, tables
from db.engine import Database
from db.errors import NotFoundError, StateConflictError
from db.registry import Registry
from db.rows import DatasetRow, ModelRow, Page


class Models:
    """``store.models``: the first upload of the same bytes stays."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = Registry(database, tables.models, "model")

    def add(
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
        row, created = self._registry.add(values)
        return convert.model(row), created

    def get(self, model_id: str) -> ModelRow:
        """One model. Raises NotFoundError."""
        return convert.model(self._registry.get(model_id))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[ModelRow]:
        """Models, newest first. Raises CursorError."""
        rows, next_cursor = self._registry.page(cursor, limit)
        return Page([convert.model(row) for row in rows], next_cursor)

    def delete(self, model_id: str) -> None:
        """Forget a model that no job uses.

        Raises:
            NotFoundError: there is no such model.
            StateConflictError: a job that is not deleted uses it.
        """
        jobs = tables.jobs.c
        with self._database.write() as connection:
            using = select(func.count()).where(jobs.model_id == model_id, jobs.deleted_at.is_(None))
            if count := connection.execute(using).scalar_one():
                raise StateConflictError(f"{count} jobs use this model: delete them first", "used")
            deleted = connection.execute(delete(tables.models).where(tables.models.c.id == model_id))
            if not deleted.rowcount:
                raise NotFoundError(f"no model {model_id!r}")


class Datasets:
    """``store.datasets``: the first upload of the same bytes stays."""

    def __init__(self, database: Database) -> None:
        self._registry = Registry(database, tables.datasets, "dataset")

    def add(
        self, dataset_id: str, name: str, samples: int, arrays: Mapping[str, Any], size_bytes: int
    ) -> tuple[DatasetRow, bool]:
        """Register a dataset by its content id; (the row, whether it is new)."""
        values = {"id": dataset_id, "name": name, "samples": samples, "arrays": dict(arrays), "size_bytes": size_bytes}
        row, created = self._registry.add(values)
        return convert.dataset(row), created

    def get(self, dataset_id: str) -> DatasetRow:
        """One dataset. Raises NotFoundError."""
        return convert.dataset(self._registry.get(dataset_id))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[DatasetRow]:
        """Datasets, newest first. Raises CursorError."""
        rows, next_cursor = self._registry.page(cursor, limit)
        return Page([convert.dataset(row) for row in rows], next_cursor)
