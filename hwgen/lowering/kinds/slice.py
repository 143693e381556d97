"""A range of one axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod

from hwgen.hardware.operators import slice as hardware
from hwgen.hardware.streams import StreamType
from hwgen.lowering.axes import is_feature_axis, periods
from hwgen.lowering.kinds.families import Moved, Unsharded
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, tied
from hwgen.lowering.parts import Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node
from hwgen.model.kinds.slice import Slice
from hwgen.model.shape import Shape


@lowers(Slice)
class SliceLowering(Moved[Slice], Unsharded[Slice]):
    """See the module."""

    def lanes(self, kind: Slice, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Along the features, what divides both ends of the range; the same on both sides."""
        if is_feature_axis(kind.axis, node.shape):
            return tied(gcd(inputs[0].features, kind.start, kind.stop))
        return tied(node.shape.features)

    def parts(self, kind: Slice, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The range in elements along the features, in tokens along the grid."""
        (source,) = graph.operands(node)
        shape, along_features = source.shape, is_feature_axis(kind.axis, source.shape)
        inner = 1 if along_features else prod(shape.grid[kind.axis + 1 :])
        stream = StreamType(shape.tokens, shape.features, lanes.in_lanes, source.format)
        ends = (kind.start * inner, kind.stop * inner)
        return (Part("", hardware.Slice(stream, periods(kind.axis, shape), *ends, along_features)),)
