"""Answers about uploaded models and data sets."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from api.views import OpenView, Time, View, absent_unless_known
from db.rows import DatasetRow, ModelRow


class TensorView(OpenView):
    """An input or output of a model."""

    name: str = Field(description="as the model's file names it")
    shape: list[int] = Field(description="sizes of its axes, without those of the batch")
    type: str | None = absent_unless_known("type of its elements")


class GraphView(OpenView):
    """What is in a model."""

    parameters: int = Field(description="trained parameters")
    macs_per_inference: int = Field(description="multiplications and additions of one inference, in pairs")
    inputs: list[TensorView] = Field(description="inputs")
    outputs: list[TensorView] = Field(description="outputs, as the software behind the hardware leaves them")
    operators: dict[str, int] = Field(description="operator -> number of nodes")


class SoftwareView(OpenView):
    """A step behind the model's outputs that stays in software."""

    node: str = Field(description="node of the model's file")
    operator: str = Field(description="its operator")
    reason: str = Field(description="why it is not hardware")
    output: str | None = absent_unless_known("the output that it makes")


class ModelView(View):
    """An uploaded model."""

    id: str = Field(description="`sha256:` and the hash of its file, and of `shapes` and `freeze` where given")
    name: str = Field(description="what it was called when its file was first uploaded")
    format: str = Field(description="format of its file")
    size_bytes: int = Field(description="size of its file")
    graph: GraphView = Field(description="what is in it")
    software: list[SoftwareView] = Field(description="what stays outside the hardware")
    created_at: Time = Field(description="when its file was first uploaded")

    @classmethod
    def of(cls, row: ModelRow) -> Self:
        """From the store's row."""
        return cls(
            id=row.id, name=row.name, format=row.format, size_bytes=row.size_bytes,
            graph=GraphView.model_validate(row.graph),
            software=[SoftwareView.model_validate(item) for item in row.software], created_at=row.created_at,
        )  # fmt: skip


class ArrayView(OpenView):
    """One array of a data set."""

    shape: list[int] = Field(description="sizes of its axes; the first one counts the samples")
    dtype: str = Field(description="type of its elements, as numpy names it")


class DatasetView(View):
    """Uploaded evaluation data."""

    id: str = Field(description="`sha256:` and the hash of its file")
    name: str = Field(description="what it was called when its file was first uploaded")
    samples: int = Field(description="samples: the first dimension of every array")
    arrays: dict[str, ArrayView] = Field(description="array -> shape and type")
    size_bytes: int = Field(description="size of its file")
    created_at: Time = Field(description="when its file was first uploaded")

    @classmethod
    def of(cls, row: DatasetRow) -> Self:
        """From the store's row."""
        return cls(
            id=row.id, name=row.name, samples=row.samples,
            arrays={name: ArrayView.model_validate(array) for name, array in row.arrays.items()},
            size_bytes=row.size_bytes, created_at=row.created_at,
        )  # fmt: skip
