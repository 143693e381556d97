"""Pools: the maximum or the mean of each window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.model.kinds.families import ONE
from hwgen.model.kinds.kind import Kind, Tensors, demand, is_integers, registered
from hwgen.model.kinds.windows import image_size, padded, window_grid, window_slices
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@dataclass(frozen=True)
class Pool(Kind):
    """What pools have in common.

    Attributes:
        kernel, strides, dilations: rows, columns.
        pads: top, left, bottom, right.
        ceil_mode: a window that reaches beyond the padding counts, unless it starts there.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    ceil_mode: bool

    arity = ONE
    tensor_names = ()

    def __post_init__(self) -> None:
        for key in ("kernel", "strides", "dilations"):
            demand(is_integers(getattr(self, key), 2), f"{key} needs 2 integers, not {getattr(self, key)!r}")
        demand(is_integers(self.pads, 4), f"pads needs 4 integers, not {self.pads!r}")

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """One position for each window, the operand's features."""
        size = image_size(inputs[0])
        reach = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]
        top, left, bottom, right = self.pads
        demand(max(top, bottom) < reach[0] and max(left, right) < reach[1], "pads are smaller than the window")
        grid = window_grid(size, self.kernel, self.strides, self.pads, self.dilations, self.ceil_mode)
        return Shape(grid, inputs[0].features)

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None that are counted."""
        return 0

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where the operand is."""
        return all(inputs)

    def slices(self, x: Array, grid: Sequence[int], value: float) -> list[Array]:
        """For each kernel position what lies under it; padding, and what ceil mode reaches behind it, is ``value``."""
        x = padded(x, self.pads, value)
        overhang = [
            max(0, (n - 1) * s + d * (k - 1) + 1 - size)
            for n, s, d, k, size in zip(grid, self.strides, self.dilations, self.kernel, x.shape[1:3], strict=True)
        ]
        return window_slices(padded(x, (0, 0, *overhang), value), self.kernel, self.strides, self.dilations, grid)


@registered
@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest element of each window; padding never wins."""

    name = "max_pool"
    requantizes = False

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The maxima."""
        first, *others = self.slices(operands[0], shape.grid, -np.inf)
        result = first.copy()
        for other in others:
            np.maximum(result, other, out=result)
        return result


@registered
@dataclass(frozen=True)
class AveragePool(Pool):
    """The mean of each window.

    Attributes:
        count_include_pad: padding counts as elements of value 0.
    """

    count_include_pad: bool

    name = "average_pool"
    requantizes = True

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The means in float32."""
        x = operands[0]
        total = _total(self.slices(x, shape.grid, 0.0))
        return np.asarray(total / self.counts(x.shape[1], x.shape[2], shape.grid))

    def counts(self, rows: int, columns: int, grid: Sequence[int]) -> Array:
        """Divisor of each window over an image of ``rows`` × ``columns``: ``(*grid, 1)``.

        Padding counts with ``count_include_pad``; positions behind it, which ceil mode reaches, never count.
        """
        if not self.count_include_pad:
            ones = np.ones((1, rows, columns, 1), dtype=np.float32)
            return np.asarray(_total(self.slices(ones, grid, 0.0))[0])
        top, left, bottom, right = self.pads
        filled = np.ones((1, rows + top + bottom, columns + left + right, 1), dtype=np.float32)
        bare = replace(self, pads=(0, 0, 0, 0))
        return np.asarray(_total(bare.slices(filled, grid, 0.0))[0])


def _total(slices: Sequence[Array]) -> Array:
    total = slices[0].copy()
    for other in slices[1:]:
        total += other
    return np.asarray(total)
