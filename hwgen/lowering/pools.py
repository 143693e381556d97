"""Parts of pools and of depthwise convolutions: a window and a reduction lane by lane."""

from __future__ import annotations

import numpy as np

from hwgen.hardware.operators.reduce import AveragePool, Depthwise, MaxPool, average_contents, pool_divisors
from hwgen.hardware.operators.window import Axis
from hwgen.lowering.parts import Lanes, Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.lowering.windows import axes_of, window_part
from hwgen.model.graph import Op
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, MxFormat
from hwgen.numbers.requantize import Requantize

MULTIPLIER_GUARD_BITS = 4  # an average is off by at most 1/32 unit in the last place more than its rounding


def pool_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Maximum or average over a window; over the whole grid there is no window."""
    rows, columns = axes_of(graph, node)
    source = graph.by_name[node.inputs[0]].format
    maximum = node.node.op is Op.MAX_POOL
    pad = source.minimum if maximum else 0
    parts, whole = _window(rows, columns, node.node.shape.features, lanes.in_lanes, source, pad)
    shape = (rows.outputs * columns.outputs, rows.kernel * columns.kernel, node.node.shape.features, lanes.in_lanes)
    feed = parts[-1].suffix if parts else 0
    if maximum:
        operator = MaxPool(*shape, source, whole, Requantize(source), shift_bits(np.array(0)))
        return (*parts, Part("", operator, {"shift": np.array(0)}, {"in": feed}))
    assert node.result is not None
    bits = node.format.bits + MULTIPLIER_GUARD_BITS
    contents = average_contents(_divisors(node, rows, columns), bits, node.format.fraction_bits - source.fraction_bits)
    average = AveragePool(
        *shape, source, whole, node.result, shift_bits(contents["shift"]), multiplier_bits=bits,
        per_token=contents["multiplier"].ndim > 0,
    )  # fmt: skip
    return (*parts, Part("", average, contents, {"in": feed}))


def depthwise_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """One kernel per channel. Shared exponents gain nothing here: the integers that they stand for are used."""
    assert node.result is not None
    rows, columns = axes_of(graph, node)
    channels = node.node.shape.features
    source = graph.by_name[node.inputs[0]].format
    parts, whole = _window(rows, columns, channels, lanes.in_lanes, source, 0)
    weight = node.constants["weight"].astype(np.int64)
    bits = node.weight.bits if isinstance(node.weight, IntFormat) else 0
    if isinstance(node.weight, MxFormat):
        weight = np.left_shift(weight, node.constants["weight_exponent"])
        bits = node.weight.mantissa_bits + node.weight.max_exponent
    signed = not isinstance(node.weight, IntFormat) or node.weight.signed
    shift = node.constants["shift"]
    operator = Depthwise(
        rows.outputs * columns.outputs, rows.kernel * columns.kernel, channels, lanes.in_lanes, source, whole,
        node.result, shift_bits(shift), weight=IntFormat(bits, signed), sum_bits=node.acc_bits,
        one_shift=shift.ndim == 0,
    )  # fmt: skip
    contents = {"weight": weight.reshape(channels, -1), "bias": node.constants["bias"], "shift": shift}
    return (*parts, Part("", operator, contents, {"in": parts[-1].suffix if parts else 0}))


def _window(
    rows: Axis, columns: Axis, channels: int, lanes: int, source: IntFormat, pad: int
) -> tuple[list[Part], bool]:
    """The window in front of a reduction, none where it takes a whole sample; and whether it does."""
    whole = all((a.kernel, a.dilation, a.before, a.after) == (a.size, 1, 0, 0) for a in (rows, columns))
    return ([], True) if whole else ([window_part(rows, columns, channels, lanes, source, pad, 0)], False)


def _divisors(node: QuantizedNode, rows: Axis, columns: Axis) -> Array:
    """Divisor of each window, ``()`` when all are equal."""
    attributes = node.node.attributes
    pads = attributes["pads"]
    assert isinstance(pads, tuple)
    include = bool(attributes["count_include_pad"])
    counts = [pool_divisors(axis, pads[2 + i], include) for i, axis in enumerate((rows, columns))]
    divisors = np.multiply.outer(*counts).ravel()
    return np.array(divisors[0]) if (divisors == divisors[0]).all() else divisors
