"""The same elements in another shape or order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.model.kinds.families import Moving
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Reshape(Moving):
    """The same stream with other axes: ``dims`` are ``(*grid, features)``."""

    dims: tuple[int, ...]

    name = "reshape"

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """Its own, which must keep all elements."""
        return _kept(inputs[0], self.dims)

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The operand."""
        return operands[0]


@registered
@dataclass(frozen=True)
class Permute(Moving):
    """A transposition that truly moves elements.

    Attributes:
        view: factors of the whole tensor in stream order.
        order: permutation of the axes of ``view``.
        dims: ``(*grid, features)`` of the result.
    """

    view: tuple[int, ...]
    order: tuple[int, ...]
    dims: tuple[int, ...]

    name = "permute"

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """Its own, which must keep all elements."""
        fits = permutes(self.view, self.order, inputs[0].elements)
        demand(
            fits, f"must keep all elements, but {self.order} does not permute factors {self.view} of {inputs[0].dims}"
        )
        return _kept(inputs[0], self.dims)

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The elements in their new order."""
        return operands[0].reshape(-1, *self.view).transpose(0, *(1 + axis for axis in self.order))


def permutes(view: Sequence[int], order: Sequence[int], elements: int) -> bool:
    """Whether ``order`` permutes the axes of ``view`` and ``view`` factorises ``elements``."""
    return math.prod(view) == elements and sorted(order) == list(range(len(view)))


def _kept(source: Shape, dims: Sequence[int]) -> Shape:
    shape = Shape.of(dims)
    demand(source.elements == shape.elements, f"must keep all elements, but {source.dims} becomes {shape.dims}")
    return shape
