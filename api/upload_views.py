"""Answers about uploaded models and data sets."""

from __future__ import annotations

from typing import Self

from api.views import Document, Time, View
from db.rows import DatasetRow, ModelRow


class ModelView(View):
    """An uploaded model."""

    id: str
    name: str
    format: str
    size_bytes: int
    graph: Document
    software: list[Document]
    created_at: Time

    @classmethod
    def of(cls, row: ModelRow) -> Self:
        """From the store's row."""
        return cls(
            id=row.id, name=row.name, format=row.format, size_bytes=row.size_bytes, graph=dict(row.graph),
            software=[dict(item) for item in row.software], created_at=row.created_at,
        )  # fmt: skip


class DatasetView(View):
    """Uploaded evaluation data: ``arrays`` is name -> {shape, dtype}; ``samples`` is the first dimension of each."""

    id: str
    name: str
    samples: int
    arrays: dict[str, Document]
    size_bytes: int
    created_at: Time

    @classmethod
    def of(cls, row: DatasetRow) -> Self:
        """From the store's row."""
        return cls(
            id=row.id, name=row.name, samples=row.samples, arrays={k: dict(v) for k, v in row.arrays.items()},
            size_bytes=row.size_bytes, created_at=row.created_at,
        )  # fmt: skip
