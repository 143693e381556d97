"""Axes of tensors as streams see them."""

from __future__ import annotations

from math import prod

from hwgen.model.shape import Shape


def is_feature_axis(axis: int, shape: Shape) -> bool:
    """Whether an axis, counted over the grid and then the features, is that of the features."""
    return axis == len(shape.grid)


def periods(axis: int, shape: Shape) -> int:
    """How often a stream comes back to the start of an axis."""
    return shape.tokens if is_feature_axis(axis, shape) else prod(shape.grid[:axis])
