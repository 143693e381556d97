"""Convolutions, grouped and depthwise ones included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Weighted, one_per
from hwgen.model.kinds.kind import Tensors, demand, is_integers, registered
from hwgen.model.kinds.windows import image_size, padded, window_grid, window_slices
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array

# patches are built for as many samples at once as fit a processor cache: twice as fast as all
_CHUNK_ELEMENTS = 1 << 18


@registered
@dataclass(frozen=True)
class Conv(Weighted):
    """A convolution; ``weight`` is ``(outputs, kernel rows, kernel columns, inputs // groups)``.

    Attributes:
        strides, dilations: rows, columns.
        pads: top, left, bottom, right; zeros.
        groups: of channels; group ``g`` of the outputs sees group ``g`` of the inputs only.
    """

    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    groups: int

    name = "conv"

    def __post_init__(self) -> None:
        demand(is_integers(self.strides, 2) and is_integers(self.dilations, 2), "strides, dilations need 2 integers")
        demand(is_integers(self.pads, 4), f"pads needs 4 integers, not {self.pads!r}")
        demand(self.groups >= 1, f"there is at least one group, not {self.groups}")

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """One position for each window, as many features as the weight has outputs."""
        size, weight = image_size(inputs[0]), tensors["weight"].shape
        demand(len(weight) == 4, "the weight has four axes: outputs, kernel rows, kernel columns, inputs per group")
        outputs, kernel, per_group = weight[0], weight[1:3], weight[3]
        fits = per_group * self.groups == inputs[0].features
        demand(fits, f"{per_group}×{self.groups} inputs for {inputs[0].features} channels")
        demand(outputs % self.groups == 0, f"{outputs} outputs do not divide into {self.groups} groups")
        one_per(outputs, "output channel", bias=tensors["bias"])
        return Shape(window_grid(size, kernel, self.strides, self.pads, self.dilations, False), outputs)

    def is_depthwise(self, tensors: Tensors) -> bool:
        """Whether every group has one input and one output channel."""
        weight = tensors["weight"].shape
        return self.groups == weight[0] and weight[3] == 1

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The products in float32, a few samples at a time."""
        x, weight = operands[0], tensors["weight"].read()
        elements = shape.tokens * math.prod(weight.shape[1:3]) * x.shape[-1]
        chunk = max(1, _CHUNK_ELEMENTS // elements)
        parts = [self._chunk(x[i : i + chunk], weight, shape) for i in range(0, len(x), chunk)]
        return np.asarray(np.concatenate(parts) + tensors["bias"].read())

    def _chunk(self, x: Array, weight: Array, shape: Shape) -> Array:
        outputs, kernel_h, kernel_w, per_group = weight.shape
        slices = window_slices(
            padded(x, self.pads, 0.0), (kernel_h, kernel_w), self.strides, self.dilations, shape.grid
        )
        if per_group == 1 and outputs == self.groups:  # depthwise: no reduction over channels
            taps = weight.reshape(outputs, -1).T
            return np.asarray(sum(s * tap for s, tap in zip(slices, taps, strict=True)))
        patches = np.stack(slices, axis=3)  # (samples, rows, columns, taps, channels)
        if self.groups == 1:
            return np.asarray(patches.reshape(*patches.shape[:3], -1) @ weight.reshape(outputs, -1).T)
        grouped = patches.reshape(*patches.shape[:4], self.groups, per_group)
        by_group = grouped.transpose(4, 0, 1, 2, 3, 5).reshape(self.groups, -1, kernel_h * kernel_w * per_group)
        products = by_group @ weight.reshape(self.groups, outputs // self.groups, -1).transpose(0, 2, 1)
        return np.asarray(products.transpose(1, 0, 2).reshape(*patches.shape[:3], outputs))
