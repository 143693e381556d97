"""A constant around one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Moving
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Pad(Moving):
    """``before`` and ``after`` positions of ``value``; ``axis`` counts the grid axes, then the features."""

    axis: int
    before: int
    after: int
    value: float

    name = "pad"

    def __post_init__(self) -> None:
        demand(self.axis >= 0, f"axis {self.axis} is negative")
        demand(
            min(self.before, self.after) >= 0, f"padding by {self.before} and {self.after}; slice the tensor instead"
        )
        demand(math.isfinite(self.value), f"padding with {self.value}, which no number format holds")

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """The operand's with ``before + after`` more positions on the axis."""
        dims = inputs[0].dims
        demand(self.axis < len(dims), f"axis {self.axis} of {dims}")
        return Shape.of([d + self.before + self.after if i == self.axis else d for i, d in enumerate(dims)])

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The operand and what is around it."""
        around = [(0, 0)] * operands[0].ndim
        around[1 + self.axis] = (self.before, self.after)
        return np.pad(operands[0], around, constant_values=self.value)

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where the operand and the value are."""
        return self.value >= 0 and all(inputs)
