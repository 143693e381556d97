"""A ReLU or Clip that nothing absorbed: a cast that keeps the scale of its operand."""

from __future__ import annotations

from hwgen.lowering.casts import cast_part, narrowed_cast, widened_cast
from hwgen.lowering.kinds.families import AllFeatures, Inherited
from hwgen.lowering.kinds.lowering import K, Shard, lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.kinds.clamps import Clip, Relu
from hwgen.model.passes.fusion import FusedNode
from hwgen.numbers.formats import IntFormat


class _ClampLowering(Inherited[K], AllFeatures[K]):
    def quantize(self, kind: K, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The operand's scale; unsigned where nothing negative is left."""
        (operand,) = quantizer.operands(group)
        source = operand.format
        target = IntFormat(source.bits, source.signed and not group.non_negative, source.fraction_bits)
        part = cast_part("", group.node.shape, source, quantizer.result(target, group), 0)
        return QuantizedNode(group.node, group.inputs, target, parts=(part,))

    def parts(self, kind: K, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        (part,) = node.parts
        return (widened_cast(part, lanes.in_lanes, 0),)

    def shard(self, kind: K, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """The same clamp for fewer features."""
        if node.shape.features % ways:
            return None
        return kind, tuple(narrowed_cast(part, node.shape.features // ways) for part in node.parts)


@lowers(Relu)
class ReluLowering(_ClampLowering[Relu]):
    """See the module."""


@lowers(Clip)
class ClipLowering(_ClampLowering[Clip]):
    """See the module."""
