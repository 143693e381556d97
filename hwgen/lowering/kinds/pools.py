"""Pools: a window and a reduction lane by lane; over the whole grid there is no window."""

from __future__ import annotations

import numpy as np

from hwgen.hardware.operators import reduce
from hwgen.hardware.operators.window import Axis
from hwgen.hardware.pipeline import DEEPEST
from hwgen.lowering.kinds.families import AllFeatures, Chosen, Inherited, Unsharded
from hwgen.lowering.kinds.lowering import K, lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, feed_of, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.lowering.windows import axes_of, covers_sample, window_part
from hwgen.model.kinds.pools import AveragePool, MaxPool
from hwgen.model.passes.fusion import FusedNode
from hwgen.numbers.arrays import Array
from hwgen.numbers.rescale import Requantize

MULTIPLIER_GUARD_BITS = 4  # an average is off by at most 1/32 unit in the last place more than its rounding


class _Pooling(AllFeatures[K], Unsharded[K]):
    def parts(self, kind: K, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        return tuple(widened(part, lanes=lanes.in_lanes) for part in node.parts)


@lowers(MaxPool)
class MaxPoolLowering(Inherited[MaxPool], _Pooling[MaxPool]):
    """Words of the operand, in its own format."""

    def quantize(self, kind: MaxPool, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Padding is the format's least word, which never wins."""
        (source,) = quantizer.operands(group)
        rows, columns = axes_of(kind, kind.kernel, source.shape, group.node.shape)
        before = _window(rows, columns, source, source.format.minimum)
        operator = reduce.MaxPool(
            *_sizes(rows, columns, source),
            source.format,
            not before,
            Requantize(source.format),
            shift_bits(np.array(0)),
            DEEPEST,
        )
        part = Part("", operator, {"shift": np.array(0)}, {"in": feed_of(before)})
        return QuantizedNode(group.node, group.inputs, source.format, source.shared, (*before, part))


@lowers(AveragePool)
class AveragePoolLowering(Chosen[AveragePool], _Pooling[AveragePool]):
    """Sums times the reciprocals of the divisors."""

    def quantize(self, kind: AveragePool, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Multipliers a few bits wider than the result."""
        (source,) = quantizer.operands(group)
        # Finer than this, the multiplier of the average would need a negative shift.
        target = quantizer.target(group, finest=source.format.fraction_bits + MULTIPLIER_GUARD_BITS)
        rows, columns = axes_of(kind, kind.kernel, source.shape, group.node.shape)
        before = _window(rows, columns, source, 0)
        bits = target.format.bits + MULTIPLIER_GUARD_BITS
        gain = target.format.fraction_bits - source.format.fraction_bits
        contents = reduce.average_contents(_divisors(kind, rows, columns), bits, gain)
        operator = reduce.AveragePool(
            *_sizes(rows, columns, source), source.format, not before, target.result, shift_bits(contents["shift"]),
            DEEPEST, multiplier_bits=bits, per_token=contents["multiplier"].ndim > 0,
        )  # fmt: skip
        part = Part("", operator, contents, {"in": feed_of(before)})
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, (*before, part))


def _window(rows: Axis, columns: Axis, source: QuantizedNode, pad: int) -> tuple[Part, ...]:
    """The window in front of a reduction, none where it takes a whole sample."""
    if covers_sample(rows, columns):
        return ()
    return (window_part(rows, columns, source.shape.features, source.format, pad, 0),)


def _sizes(rows: Axis, columns: Axis, source: QuantizedNode) -> tuple[int, int, int, int]:
    """Output tokens, kernel positions, channels, lanes."""
    return rows.outputs * columns.outputs, rows.kernel * columns.kernel, source.shape.features, 1


def _divisors(kind: AveragePool, rows: Axis, columns: Axis) -> Array:
    """Divisor of each window, ``()`` when all are equal."""
    counts = [
        reduce.pool_divisors(axis, kind.pads[2 + i], kind.count_include_pad) for i, axis in enumerate((rows, columns))
    ]
    divisors = np.multiply.outer(*counts).ravel()
    return np.array(divisors[0]) if (divisors == divisors[0]).all() else divisors
