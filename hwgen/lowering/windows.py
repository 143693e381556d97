"""Windows over image grids: how a node's attributes become the axes of the line buffer."""

from __future__ import annotations

from hwgen.hardware.operators.window import Axis, Window
from hwgen.lowering.parts import Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node, Op
from hwgen.numbers.formats import Format


def grid_of(node: Node) -> tuple[int, int]:
    """Rows and columns of a tensor; grids of fewer axes have one row (and one column)."""
    grid = node.shape.grid
    return (1, 1) if not grid else (1, grid[0]) if len(grid) == 1 else (grid[0], grid[1])


def axes_of(graph: QuantizedGraph, node: QuantizedNode) -> tuple[Axis, Axis]:
    """Row and column axes of a convolution or pool. Ceil-mode windows extend the padding after the grid."""
    source, attributes = graph.by_name[node.inputs[0]].node, node.node.attributes
    kernel = node.node.constants["weight"].shape[1:3] if node.node.op is Op.CONV else pair(attributes["kernel"])
    strides, dilations = pair(attributes["strides"]), pair(attributes.get("dilations", (1, 1)))
    pads = attributes["pads"]
    assert isinstance(pads, tuple)
    axes = []
    for index, (size, outputs) in enumerate(zip(grid_of(source), grid_of(node.node), strict=True)):
        span = (kernel[index] - 1) * dilations[index] + 1
        after = (outputs - 1) * strides[index] + span - size - pads[index]
        axes.append(Axis(size, kernel[index], strides[index], dilations[index], pads[index], max(0, after)))
    return axes[0], axes[1]


def pair(value: object) -> tuple[int, int]:
    """A two-element attribute."""
    assert isinstance(value, tuple) and len(value) == 2
    return int(value[0]), int(value[1])


def window_part(
    rows: Axis, columns: Axis, channels: int, lanes: int, source: Format, pad_element: int, feed: int | str
) -> Part:
    """The line buffer in front of a convolution or a pool."""
    return Part("window", Window(rows, columns, channels, lanes, source, pad_element), {}, {"in": feed})
