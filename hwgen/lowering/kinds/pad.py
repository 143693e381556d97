"""A constant around one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd, prod

import numpy as np

from hwgen.hardware.operators import pad as hardware
from hwgen.hardware.streams import StreamType
from hwgen.lowering.axes import is_feature_axis, periods
from hwgen.lowering.casts import cast_part, widened_cast
from hwgen.lowering.kinds.families import Unsharded, activation_choice
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, tied
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import PrecisionChoice, Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.pad import Pad
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape
from hwgen.numbers.formats import IntFormat, quantize


@lowers(Pad)
class PadLowering(Unsharded[Pad]):
    """Zeros are put in as they are; another value may lie outside the operand's range, so the result has its own."""

    def precision(self, kind: Pad, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """A format for the tensor, where zeros alone do not leave it as it is."""
        return activation_choice(group, has_weight=False) if kind.value else None

    def lanes(self, kind: Pad, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Along the features, what divides them and both sides; the same on both sides."""
        if is_feature_axis(kind.axis, node.shape):
            return tied(gcd(inputs[0].features, kind.before, kind.after))
        return tied(node.shape.features)

    def quantize(self, kind: Pad, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The operand's format, or a cast to the one chosen; the value as a word of it."""
        (source,) = quantizer.operands(group)
        if not kind.value:
            part = _part(kind, source.shape, source.format, 0)
            return QuantizedNode(group.node, group.inputs, source.format, source.shared, (part,))
        target = quantizer.target(group)
        cast = cast_part("cast", source.shape, source.format, target.result, 0)
        parts = (cast, _part(kind, source.shape, target.format, cast.suffix))
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: Pad, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        *casts, part = node.parts
        assert isinstance(part.operator, hardware.Pad)
        stream = replace(part.operator.source, lanes=lanes.in_lanes)
        padded = replace(part, operator=replace(part.operator, source=stream))
        return (*(widened_cast(cast, lanes.in_lanes, 0) for cast in casts), padded)


def _part(kind: Pad, shape: Shape, word: IntFormat, feed: int | str) -> Part:
    """The range in elements along the features, in tokens along the grid; one element per cycle."""
    along_features = is_feature_axis(kind.axis, shape)
    inner = 1 if along_features else prod(shape.grid[kind.axis + 1 :])
    stream = StreamType(shape.tokens, shape.features, 1, word)
    around = (kind.before * inner, kind.after * inner)
    operator = hardware.Pad(stream, periods(kind.axis, shape), *around, along_features)
    return Part("", operator, {"value": quantize(np.array(kind.value), word)}, {"in": feed})
