"""Products of two activations: scores or weighted sums of values, head by head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.pipeline import DEEPEST
from hwgen.lowering.kinds.families import Chosen
from hwgen.lowering.kinds.lowering import Shard, lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, divisors
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape


@lowers(MatMul)
class MatMulLowering(Chosen[MatMul]):
    """See the module."""

    def lanes(self, kind: MatMul, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Divisors of the reduction and of the results of a head."""
        reduction, results = inputs[0].features // kind.heads, node.shape.features // kind.heads
        return LaneChoice(divisors(reduction), divisors(results), False)

    def quantize(self, kind: MatMul, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The narrowest exact accumulator of both formats."""
        a, b = quantizer.operands(group)
        target = quantizer.target(group, finest=a.format.fraction_bits + b.format.fraction_bits)
        features = group.node.shape.features
        sizes = (a.shape.tokens, kind.heads, a.shape.features // kind.heads, features // kind.heads)
        operator, contents = Matmul.design(sizes, kind.transpose_b, (1, 1), a.format, b.format, target.result, DEEPEST)
        parts = (Part("", operator, contents, {"a": 0, "b": 1}),)
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: MatMul, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        (part,) = node.parts
        return (widened(part, in_lanes=lanes.in_lanes, out_lanes=lanes.out_lanes),)

    def shard(self, kind: MatMul, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """So many of the heads."""
        if kind.heads % ways:
            return None
        heads = kind.heads // ways
        (part,) = node.parts
        return replace(kind, heads=heads), (widened(part, heads=heads),)
