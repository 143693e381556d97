"""A range of one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.model.kinds.families import Moving
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Slice(Moving):
    """Positions ``start:stop`` of one axis; ``axis`` counts the grid axes, then the features."""

    axis: int
    start: int
    stop: int

    name = "slice"

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """The operand's with ``stop - start`` positions on the axis."""
        dims = inputs[0].dims
        inside = 0 <= self.axis < len(dims) and 0 <= self.start < self.stop <= dims[self.axis]
        demand(inside, f"{self.start}:{self.stop} of axis {self.axis} of {dims}")
        return Shape.of([self.stop - self.start if i == self.axis else d for i, d in enumerate(dims)])

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The range."""
        return operands[0][(slice(None),) * (self.axis + 1) + (slice(self.start, self.stop),)]
