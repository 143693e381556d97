"""Tensors that no operator makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.model.kinds.families import Source
from hwgen.model.kinds.kind import Tensors, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Input(Source):
    """A tensor that the user gives: ``dims`` are ``(*grid, features)``."""

    dims: tuple[int, ...]

    name = "input"
    tensor_names = ()

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """Its own."""
        return Shape.of(self.dims)

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The user's tensor, which is handed over as the only operand."""
        return operands[0]

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Not known from the graph."""
        return False


@registered
@dataclass(frozen=True)
class Constant(Source):
    """A stored tensor ``value`` ``(*grid, features)``."""

    name = "constant"
    tensor_names = ("value",)

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """That of the value."""
        return Shape.of(tensors["value"].shape)

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The value, for one sample."""
        return tensors["value"].read()[None]

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where every element is."""
        return bool((tensors["value"].read() >= 0).all())
