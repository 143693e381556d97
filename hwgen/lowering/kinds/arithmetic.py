"""Sums and products of two tensors; a constant operand becomes a source, a smaller operand is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.hardware.operators.constant import Constant
from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.operators.repeat import Repeat, Spread
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType
from hwgen.lowering.kinds.families import AllFeatures, Chosen
from hwgen.lowering.kinds.lowering import K, Shard, lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer, Target
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.model.kinds import sources
from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape


class _Elementwise(Chosen[K], AllFeatures[K]):
    def parts(self, kind: K, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """What brings both operands to the shape of the result, then the sum or product."""
        made: list[Part] = []
        feeds: dict[str, int | str] = {}
        for index, (port, operand) in enumerate(zip("ab", graph.operands(node), strict=True)):
            before = _operand(operand, index, port, node.shape, lanes.in_lanes)
            feeds[port] = before[-1].suffix if before else index
            made += before
        (part,) = node.parts
        return (*made, replace(widened(part, lanes=lanes.in_lanes), feeds=feeds))

    def shard(self, kind: K, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """Fewer elements of both operands."""
        if node.shape.features % ways:
            return None
        (part,) = node.parts
        return kind, (widened(part, features=node.shape.features // ways),)


@lowers(Add)
class AddLowering(_Elementwise[Add]):
    """Both operands are shifted to the finer scale."""

    def quantize(self, kind: Add, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Exact at the finer of the two scales."""
        a, b = (operand.format.fraction_bits for operand in quantizer.operands(group))
        exact = max(a, b)
        return _quantized(Function.ADD, group, quantizer, quantizer.target(group, exact), exact, (exact - a, exact - b))


@lowers(Multiply)
class MultiplyLowering(_Elementwise[Multiply]):
    """The scales multiply."""

    def quantize(self, kind: Multiply, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Exact at the product of the scales."""
        exact = sum(operand.format.fraction_bits for operand in quantizer.operands(group))
        return _quantized(Function.MULTIPLY, group, quantizer, quantizer.target(group, exact), exact, (0, 0))


def _quantized(
    function: Function, group: FusedNode, quantizer: Quantizer, target: Target, exact: int, left: tuple[int, int]
) -> QuantizedNode:
    """The operator for an exact value with ``exact`` fraction bits after the left shifts of both operands."""
    a, b = (operand.format for operand in quantizer.operands(group))
    shape, shift = group.node.shape, exact - target.format.fraction_bits
    acc_bits = max(Eltwise.acc_bits_for(function, a, b, *left), shift, target.format.bits)
    bits = shift_bits(np.array([shift, *left]))
    operator = Eltwise(function, shape.tokens, shape.features, 1, a, b, acc_bits, target.result, bits, DEEPEST)
    contents = {"left_a": np.array(left[0]), "left_b": np.array(left[1]), "shift": np.array(shift)}
    parts = (Part("", operator, contents, {"a": 0, "b": 1}),)
    return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)


def _operand(source: QuantizedNode, index: int, port: str, shape: Shape, lanes: int) -> list[Part]:
    """What brings one operand to ``shape``: nothing when it has it already."""
    own = source.shape
    if isinstance(source.node.kind, sources.Constant):
        value = np.broadcast_to(source.contents["value"], shape.dims).reshape(shape.tokens, shape.features)
        stream = StreamType(shape.tokens, shape.features, lanes, source.format)
        return [Part(f"{port}_constant", Constant(stream), {"value": value}, {})]
    parts: list[Part] = []
    feed: int | str = index
    if own.features != shape.features:
        if own.features != 1:
            raise IllegalGraph(f"{source.name} does not broadcast to {shape.dims}")
        spread = Spread(StreamType(own.tokens, 1, 1, source.format), shape.features, lanes)
        parts.append(Part(f"{port}_spread", spread, {}, {"in": feed}))
        feed = f"{port}_spread"
    if own.tokens != shape.tokens:
        blocks, copies = _repetition(own.grid, shape.grid, source.name)
        repeat = Repeat(StreamType(own.tokens, shape.features, lanes, source.format), blocks, copies)
        parts.append(Part(f"{port}_repeat", repeat, {}, {"in": feed}))
    return parts


def _repetition(own: Sequence[int], wanted: Sequence[int], name: str) -> tuple[int, int]:
    """How a smaller grid is repeated: tokens repeated as a whole, and copies."""
    padded = (1,) * (len(wanted) - len(own)) + tuple(own)
    missing = [axis for axis, (have, want) in enumerate(zip(padded, wanted, strict=True)) if have != want]
    consecutive = missing == list(range(missing[0], missing[-1] + 1))
    if not consecutive or any(padded[axis] != 1 for axis in missing):
        raise IllegalGraph(f"{name} does not broadcast to the grid {tuple(wanted)}")
    copies = int(np.prod([wanted[axis] for axis in missing]))
    return int(np.prod(padded[missing[-1] + 1 :], dtype=np.int64)), copies
