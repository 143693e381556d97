"""Pointwise functions: a look-up, after narrowing a wide input."""

from __future__ import annotations

from hwgen.hardware.operators.table import Table, function_table
from hwgen.lowering.casts import cast_part, narrowed_cast, widened_cast
from hwgen.lowering.kinds.families import AllFeatures, Chosen
from hwgen.lowering.kinds.lowering import Shard, lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, feed_of, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.kinds.pointwise import Pointwise
from hwgen.model.passes.fusion import FusedNode
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize

TABLE_INPUT_BITS = 10  # wider inputs are requantized before the look-up


@lowers(Pointwise)
class PointwiseLowering(Chosen[Pointwise], AllFeatures[Pointwise]):
    """See the module."""

    def quantize(self, kind: Pointwise, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """For each input word the nearest output word."""
        (operand,) = quantizer.operands(group)
        source, shape, target = operand.format, group.node.shape, quantizer.target(group)
        parts: tuple[Part, ...] = ()
        if source.bits > TABLE_INPUT_BITS:
            dropped = source.bits - TABLE_INPUT_BITS
            narrow = IntFormat(TABLE_INPUT_BITS, source.signed, source.fraction_bits - dropped)
            parts = (cast_part("narrow", shape, source, Requantize(narrow), 0),)
            source = narrow
        contents = {"table": function_table(kind.real, source, target.format)}
        operator = Table(shape.tokens, shape.features, 1, source, target.format)
        parts = (*parts, Part("", operator, contents, {"in": feed_of(parts)}))
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: Pointwise, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        *narrow, table = node.parts
        return (*(widened_cast(p, lanes.in_lanes, 0) for p in narrow), widened(table, lanes=lanes.in_lanes))

    def shard(self, kind: Pointwise, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """The same table for fewer features."""
        if node.shape.features % ways:
            return None
        features = node.shape.features // ways
        *narrow, table = node.parts
        return kind, (*(narrowed_cast(part, features) for part in narrow), widened(table, features=features))
