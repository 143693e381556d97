"""Constants around a tensor, which the next convolution or pool may take over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.model.kinds.pad import Pad
from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import Deferred
from hwgen.model.onnx.view import View
from hwgen.model.shape import Shape


@dataclass(frozen=True)
class Padded(Deferred):
    """A view with constant padding.

    Attributes:
        view: the data.
        pads: (before, after) per ONNX axis.
        value: the padding value.
    """

    view: View
    pads: tuple[tuple[int, int], ...]
    value: float

    @property
    def shape(self) -> tuple[int, ...]:
        """ONNX shape, padding included."""
        return tuple(size + before + after for size, (before, after) in zip(self.view.shape, self.pads, strict=True))

    def build(self, builder: Builder) -> View:
        """The padding as elements, axis by axis.

        Raises:
            Refused: the batch axis is padded.
        """
        view = self.view
        for axis, (before, after) in enumerate(self.pads):
            if before or after:
                view = _padded_axis(builder, view, axis, before, after, self.value)
        return view


def _padded_axis(builder: Builder, view: View, axis: int, before: int, after: int, value: float) -> View:
    if axis == 0 and len(view.dims) > 1 and not view.dims[0]:
        raise Refused("padding of the batch axis; pad the other axes only")
    view = _axis_whole(builder, view.merged(), axis)
    sizes, dims = view.sizes, view.dims
    if not dims[axis]:  # one position along this axis: it becomes the outermost one
        sizes = (1, *sizes)
        dims = tuple((0,) if i == axis else tuple(f + 1 for f in dim) for i, dim in enumerate(dims))
    (factor,) = dims[axis]
    first = _first_feature(builder.nodes[view.node].shape.features, sizes, factor)
    data = builder.in_shape(view.node, Shape(sizes[:first], math.prod(sizes[first:])))
    node = builder.emit_once(Pad(factor, before, after, value), data)
    grown = tuple(size + before + after if f == factor else size for f, size in enumerate(sizes))
    return View(node, grown, dims)


def _axis_whole(builder: Builder, view: View, axis: int) -> View:
    """The merged view in another stream order where an ONNX axis lies in several pieces."""
    if len(view.dims[axis]) <= 1:
        return view
    order = view.sequence
    return builder.lay(view, order, [view.sizes[f] for f in order[:-1]], view.sizes[order[-1]]).merged()


def _first_feature(features: int, sizes: Sequence[int], factor: int) -> int:
    """The factor from which on all are features: as now, unless ``factor`` must be an axis of its own."""
    for first in range(factor + 1, len(sizes)):
        if math.prod(sizes[first:]) == features:
            return first
    return factor if factor == len(sizes) - 1 else factor + 1
