"""Windows over image grids: how a node's attributes become the axes of the line buffer."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.hardware.operators.window import Axis, Window
from hwgen.lowering.parts import Part
from hwgen.model.kinds.conv import Conv
from hwgen.model.kinds.pools import Pool
from hwgen.model.shape import Shape
from hwgen.numbers.formats import Format


def axes_of(kind: Conv | Pool, kernel: Sequence[int], source: Shape, target: Shape) -> tuple[Axis, Axis]:
    """Row and column axes of windows. Those that ceil mode adds extend the padding after the grid."""
    axes = []
    for index, (size, outputs) in enumerate(zip(source.grid, target.grid, strict=True)):
        stride, dilation, before = kind.strides[index], kind.dilations[index], kind.pads[index]
        span = (kernel[index] - 1) * dilation + 1
        after = (outputs - 1) * stride + span - size - before
        axes.append(Axis(size, kernel[index], stride, dilation, before, max(0, after)))
    rows, columns = axes
    return rows, columns


def window_part(rows: Axis, columns: Axis, channels: int, source: Format, pad_element: int, feed: int | str) -> Part:
    """The line buffer in front of a convolution or a pool."""
    return Part("window", Window(rows, columns, channels, 1, source, pad_element), {}, {"in": feed})


def covers_sample(rows: Axis, columns: Axis) -> bool:
    """Whether the only window is a whole sample, which needs no line buffer in front of a reduction."""
    return all((a.kernel, a.dilation, a.before, a.after) == (a.size, 1, 0, 0) for a in (rows, columns))
