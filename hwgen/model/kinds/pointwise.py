"""Real functions of one element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Unary
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.pointwise import POINTWISE
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Pointwise(Unary):
    """A function of each element.

    Attributes:
        function: a name of ``hwgen.model.pointwise``.
        alpha: its parameter, 0 where it has none.
    """

    function: str
    alpha: float

    name = "pointwise"
    tensor_names = ()
    requantizes = False

    def __post_init__(self) -> None:
        known = self.function in POINTWISE
        demand(known, f"the function {self.function!r} is not one of {sorted(POINTWISE)}")

    def real(self, x: Array) -> Array:
        """The function of an array of any shape."""
        return POINTWISE[self.function](x, self.alpha)

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The function in float32."""
        return np.asarray(self.real(operands[0]))

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """What is known of the function."""
        return POINTWISE[self.function].unsigned
