"""ReLU and Clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Clamp
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array

_UNBOUNDED = 1e30  # limits beyond this are none


@registered
@dataclass(frozen=True)
class Relu(Clamp):
    """``max(x, 0)``."""

    name = "relu"

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """From 0."""
        return 0.0, None

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The larger of element and 0."""
        return np.asarray(np.maximum(operands[0], np.float32(0)))


@registered
@dataclass(frozen=True)
class Clip(Clamp):
    """``min(max(x, low), high)``, ``low < high``; a magnitude of 1e30 or more is no limit."""

    low: float
    high: float

    name = "clip"

    def __post_init__(self) -> None:
        demand(self.low < self.high, f"clips to {self.low}…{self.high}, which is empty")

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Low and high."""
        low, high = (float(v) if abs(v) < _UNBOUNDED else None for v in (self.low, self.high))
        return low, high

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The elements inside the limits."""
        return np.asarray(np.clip(operands[0], np.float32(self.low), np.float32(self.high)))
