"""The shape of a tensor: a grid of positions, and features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Grid positions, row-major, then features."""

    grid: tuple[int, ...]
    features: int

    @staticmethod
    def of(dims: Sequence[int]) -> Shape:
        """The shape whose array dimensions are ``dims``, the features last."""
        return Shape(tuple(dims[:-1]), dims[-1])

    @property
    def tokens(self) -> int:
        """Number of grid positions (1 for an empty grid)."""
        return math.prod(self.grid)

    @property
    def elements(self) -> int:
        """Number of elements."""
        return self.tokens * self.features

    @property
    def dims(self) -> tuple[int, ...]:
        """Array dimensions without the sample axis: ``(*grid, features)``."""
        return (*self.grid, self.features)
