"""Softmax over groups of consecutive features."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.hardware.operators import softmax
from hwgen.lowering.kinds.families import Chosen
from hwgen.lowering.kinds.lowering import Shard, lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, tied
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node
from hwgen.model.kinds.softmax import Softmax
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape


@lowers(Softmax)
class SoftmaxLowering(Chosen[Softmax]):
    """See the module."""

    def lanes(self, kind: Softmax, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Divisors of a group, the same on both sides."""
        return tied(kind.size)

    def quantize(self, kind: Softmax, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The table of exponentials and all widths."""
        (source,) = quantizer.operands(group)
        target, shape = quantizer.target(group), group.node.shape
        sizes = (shape.tokens, shape.features // kind.size, kind.size)
        operator, contents = softmax.Softmax.design(sizes, 1, kind.causal, source.format, target.result)
        parts = (Part("", operator, contents),)
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: Softmax, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        return tuple(widened(part, lanes=lanes.in_lanes) for part in node.parts)

    def shard(self, kind: Softmax, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """So many of the rows of a token."""
        rows = node.shape.features // kind.size
        if rows % ways:
            return None
        return kind, tuple(widened(part, groups=rows // ways) for part in node.parts)
