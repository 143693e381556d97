"""Windows over images: where they lie, and the elements under them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.model.kinds.kind import demand
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


def image_size(shape: Shape) -> tuple[int, int]:
    """Rows and columns of an image.

    Raises:
        IllegalGraph: it has another grid; one-dimensional data has the grid ``(1, length)``.
    """
    demand(len(shape.grid) == 2, f"needs a grid of rows and columns, not {shape.grid}")
    return shape.grid[0], shape.grid[1]


def window_grid(
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    ceil_mode: bool,
) -> tuple[int, int]:
    """How many windows lie above each other and side by side; ``pads`` are top, left, bottom, right.

    Raises:
        IllegalGraph: not even one window fits, or a number is out of range.
    """
    rows, columns = (
        _count(size[i], kernel[i], strides[i], pads[i], pads[2 + i], dilations[i], ceil_mode) for i in range(2)
    )
    return rows, columns


def _count(size: int, kernel: int, stride: int, before: int, after: int, dilation: int, ceil_mode: bool) -> int:
    """Positions along one axis; in ceil mode no window starts in the padding behind the data."""
    if min(kernel, stride, dilation) < 1 or min(before, after) < 0:
        raise IllegalGraph("kernel, stride and dilation are 1 or more, pads are 0 or more")
    room = size + before + after - (dilation * (kernel - 1) + 1)
    # in ceil mode even the first window may reach beyond the data
    count = (-(-room // stride) if ceil_mode else room // stride) + 1
    if count < 1:
        raise IllegalGraph(
            f"a window of {kernel} (dilation {dilation}) does not fit {size} positions padded by {before}+{after}"
        )
    if ceil_mode and (count - 1) * stride >= size + before:
        count -= 1
    return count


def padded(x: Array, pads: Sequence[int], value: float) -> Array:
    """An image batch ``(samples, rows, columns, features)`` with (top, left, bottom, right) padding."""
    top, left, bottom, right = pads
    if not any(pads):
        return x
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)


def window_slices(
    x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], grid: Sequence[int]
) -> list[Array]:
    """For each kernel position (row-major) the elements under it: ``(samples, *grid, features)`` views of ``x``."""
    slices = []
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            top, left = row * dilations[0], column * dilations[1]
            bottom, right = top + (grid[0] - 1) * strides[0] + 1, left + (grid[1] - 1) * strides[1] + 1
            slices.append(x[:, top : bottom : strides[0], left : right : strides[1]])
    return slices
