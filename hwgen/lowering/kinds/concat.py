"""Concatenation: every operand is brought to the format of the result, then they are joined pairwise."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np

from hwgen.hardware.operators import concat
from hwgen.hardware.operators.constant import Constant
from hwgen.hardware.streams import StreamType
from hwgen.lowering.axes import is_feature_axis, periods
from hwgen.lowering.casts import cast_part, widened_cast
from hwgen.lowering.kinds.families import Chosen, Unsharded
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, tied
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node
from hwgen.model.kinds import sources
from hwgen.model.kinds.concat import Concat
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape
from hwgen.numbers.rescale import Requantize


@lowers(Concat)
class ConcatLowering(Chosen[Concat], Unsharded[Concat]):
    """See the module."""

    def lanes(self, kind: Concat, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Along the features, what divides all operands; the same on both sides."""
        if is_feature_axis(kind.axis, node.shape):
            return tied(gcd(*(shape.features for shape in inputs)))
        return tied(node.shape.features)

    def quantize(self, kind: Concat, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """A cast for each operand in another format."""
        target = quantizer.target(group)
        result = Requantize(target.format, target.result.rounding)
        casts = tuple(
            cast_part(f"cast{index}", operand.shape, operand.format, result, index)
            for index, operand in enumerate(quantizer.operands(group))
            if operand.format != target.format
        )
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, casts)

    def parts(self, kind: Concat, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """Operand by operand: a source where it is constant, its cast, the join with those before."""
        casts = {part.suffix: part for part in node.parts}
        parts: list[Part] = []
        joined: StreamType | None = None
        feed: int | str = 0
        for index, operand in enumerate(graph.operands(node)):
            made = _operand(operand, index, casts.get(f"cast{index}"), lanes.in_lanes)
            parts += made
            here: int | str = made[-1].suffix if made else index
            stream = StreamType(operand.shape.tokens, operand.shape.features, lanes.in_lanes, node.format)
            if joined is None:
                joined, feed = stream, here
                continue
            along_features = is_feature_axis(kind.axis, node.shape)
            operator = concat.Concat(joined, stream, periods(kind.axis, operand.shape), along_features)
            suffix = "" if index == len(node.inputs) - 1 else f"join{index}"
            parts.append(Part(suffix, operator, {}, {"a": feed, "b": here}))
            joined, feed = operator.outputs["out"], suffix
        return tuple(parts)


def _operand(source: QuantizedNode, index: int, cast: Part | None, lanes: int) -> list[Part]:
    """What brings one operand to the format of the result: nothing when it has it already."""
    parts: list[Part] = []
    shape = source.shape
    feed: int | str = index
    if isinstance(source.node.kind, sources.Constant):  # a class token, say
        value = np.asarray(source.contents["value"].reshape(shape.tokens, shape.features))
        stream = StreamType(shape.tokens, shape.features, lanes, source.format)
        feed = f"constant{index}"
        parts.append(Part(feed, Constant(stream), {"value": value}, {}))
    if cast is not None:
        parts.append(widened_cast(cast, lanes, feed))
    return parts
