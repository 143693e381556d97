"""Concatenation along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import SEVERAL
from hwgen.model.kinds.kind import Kind, Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Concat(Kind):
    """Joins two or more tensors; ``axis`` counts the grid axes, then the features."""

    axis: int

    name = "concat"
    arity = SEVERAL
    tensor_names = ()
    requantizes = False

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """The sum along the axis."""
        first = inputs[0].dims
        demand(0 <= self.axis < len(first), f"axis {self.axis} of {first}")
        for shape in inputs:
            same = len(shape.dims) == len(first) and all(
                i == self.axis or a == b for i, (a, b) in enumerate(zip(shape.dims, first, strict=True))
            )
            demand(same, f"{shape.dims} does not join {first} along axis {self.axis}")
        return Shape.of([sum(s.dims[i] for s in inputs) if i == self.axis else d for i, d in enumerate(first)])

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The operands side by side."""
        return np.concatenate(operands, axis=self.axis + 1)

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None."""
        return 0

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where all operands are."""
        return all(inputs)
