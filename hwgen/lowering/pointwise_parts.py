"""Parts of elementwise operators: sums and products of tensors, clamps, pointwise functions, constants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.hardware.operators.cast import Cast
from hwgen.hardware.operators.constant import Constant
from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.operators.repeat import Repeat, Spread
from hwgen.hardware.operators.table import Table, function_table
from hwgen.hardware.streams import StreamType
from hwgen.lowering.parts import Lanes, Part
from hwgen.lowering.quantize import TABLE_INPUT_BITS
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.model.graph import Op, Shape
from hwgen.model.pointwise import POINTWISE
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.requantize import Requantize


def elementwise_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Sum or product of two tensors; a constant operand becomes a source, a smaller operand is repeated."""
    assert node.result is not None
    shape, width = node.node.shape, lanes.in_lanes
    parts: list[Part] = []
    feeds: dict[str, int | str] = {}
    for index, port in enumerate(("a", "b")):
        made = _operand(graph.by_name[node.inputs[index]], index, port, shape, width)
        parts += made
        feeds[port] = made[-1].suffix if made else index
    a, b = (graph.by_name[i].format for i in node.inputs)
    function = Function.ADD if node.node.op is Op.ADD else Function.MULTIPLY
    left = node.constants.get("align", np.zeros(2, dtype=np.int64))
    shift = node.constants["shift"]
    acc_bits = max(Eltwise.acc_bits_for(function, a, b, int(left[0]), int(left[1])), int(shift), node.format.bits)
    operator = Eltwise(
        function, shape.tokens, shape.features, width, a, b, acc_bits, node.result,
        shift_bits(np.array([shift, *left])),
    )  # fmt: skip
    contents = {"left_a": left[0], "left_b": left[1], "shift": shift}
    return (*parts, Part("", operator, {k: np.asarray(v) for k, v in contents.items()}, feeds))


def _operand(source: QuantizedNode, index: int, port: str, shape: Shape, lanes: int) -> list[Part]:
    """What brings one operand to ``shape``: nothing when it has it already."""
    own = source.node.shape
    if source.node.op is Op.CONSTANT:
        value = np.broadcast_to(source.constants["value"], shape.dims).reshape(shape.tokens, shape.features)
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


def clamp_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """A ReLU or Clip that nothing absorbed."""
    assert node.result is not None
    stream = _stream(graph, node, lanes)
    return (cast_part("", stream, node.result, 0),)


def cast_part(suffix: str, stream: StreamType, result: Requantize, feed: int | str) -> Part:
    """Requantize a stream into ``result.target``, which may have another scale and width."""
    source = stream.format
    assert isinstance(source, IntFormat)
    shift = source.fraction_bits - result.target.fraction_bits
    left, right = max(0, -shift), max(0, shift)
    acc_bits = max(Cast.acc_bits_for(source, result.target, left), right)
    operator = Cast(stream, acc_bits, result, shift_bits(np.array([left, right])))
    return Part(suffix, operator, {"left": np.array(left), "shift": np.array(right)}, {"in": feed})


def function_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """A pointwise function: a look-up, after narrowing a wide input."""
    stream = _stream(graph, node, lanes)
    source = stream.format
    assert isinstance(source, IntFormat)
    parts: list[Part] = []
    if source.bits > TABLE_INPUT_BITS:
        narrow = IntFormat(TABLE_INPUT_BITS, source.signed, source.fraction_bits - (source.bits - TABLE_INPUT_BITS))
        parts.append(cast_part("narrow", stream, Requantize(narrow), 0))
        source = narrow
    attributes = node.node.attributes
    function = POINTWISE[str(attributes["function"])]
    alpha = float(attributes.get("alpha", 0.0))  # type: ignore[arg-type]
    table: Array = function_table(lambda x: function(x, alpha), source, node.format)
    operator = Table(stream.tokens, stream.features, stream.lanes, source, node.format)
    parts.append(Part("", operator, {"table": table}, {"in": parts[-1].suffix if parts else 0}))
    return tuple(parts)


def _stream(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> StreamType:
    """The node's input stream at its lanes."""
    shape = node.node.shape
    return StreamType(shape.tokens, shape.features, lanes.in_lanes, graph.by_name[node.inputs[0]].format)
