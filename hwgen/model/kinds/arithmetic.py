"""Sums and products of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Binary
from hwgen.model.kinds.kind import Tensors, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Add(Binary):
    """``a + b``."""

    name = "add"

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The sums."""
        a, b = (_rows(o) for o in operands)
        return np.asarray(a + b)


@registered
@dataclass(frozen=True)
class Multiply(Binary):
    """``a * b``."""

    name = "mul"

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The products."""
        a, b = (_rows(o) for o in operands)
        return np.asarray(a * b)


def _rows(operand: Array) -> Array:
    """An operand as ``(samples, tokens or 1, features or 1)``."""
    return operand.reshape(len(operand), -1, operand.shape[-1])
