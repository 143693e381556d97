"""Float weights to integers: per-tensor or per-channel power-of-two scales, or shared-exponent blocks.

Weights are read by slices of channels, several times; only the integers are ever whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.lowering.calibration import CLIPPING_STEPS
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, FormatChoice

LARGEST_BIAS_BITS = 30
SLICE_ELEMENTS = 1 << 16  # what the arrays of one step may hold to stay in a core's cache


@dataclass(frozen=True)
class QuantizedWeights:
    """Integer weights of a linear layer or convolution.

    Attributes:
        format: of the elements; the scale of channel ``c`` is ``2**-fraction_bits[c]``.
        weight: words of elements in the shape of the float weights, of the smallest integer type.
        exponent: per element, equal within a block; None without exponents.
        bias: ``(channels,)`` at the scale of the accumulators.
        fraction_bits: ``(channels,)``.
    """

    format: Format
    weight: Array
    exponent: Array | None
    bias: Array
    fraction_bits: Array

    @property
    def largest_magnitude(self) -> int:
        """Largest magnitude that an element of the format can have."""
        return self.format.largest_magnitude

    def constants(self) -> dict[str, Array]:
        """The integer constants of the quantized node."""
        constants = {"weight": self.weight, "bias": self.bias}
        if self.exponent is not None:
            constants["weight_exponent"] = self.exponent
        return constants


def quantize_weights(
    weight: Array, bias: Array | None, choice: FormatChoice, input_fraction_bits: int, per_channel: bool
) -> QuantizedWeights:
    """Quantize ``weight`` ``(channels, ...)``, reduction axes last, and ``bias`` ``(channels,)``.

    Blocks of a shared exponent run along the flattened reduction axes of each channel.
    """
    target = choice.format.for_weights()
    bias = np.zeros(weight.shape[0]) if bias is None else bias.astype(np.float64)
    fraction = _limit_by_bias(_fraction_bits(weight, target, per_channel), bias, input_fraction_bits)
    words = np.empty(weight.shape, target.element.storage)
    exponent = np.empty(weight.shape, np.int8) if target.block else None
    for part, rows in _slices(weight):
        elements, exponents = target.encode(_scaled(rows, fraction[part]))
        words[part] = elements.reshape(words[part].shape)
        if exponent is not None and exponents is not None:
            exponent[part] = target.spread(exponents, rows.shape[1]).reshape(words[part].shape)
    scaled_bias = np.rint(bias * 2.0 ** (fraction + input_fraction_bits)).astype(np.int64)
    return QuantizedWeights(target, words, exponent, scaled_bias, fraction)


def _slices(weight: Array) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """Channels a few at a time: their slice, and their weights ``(channels, elements)``."""
    channels, elements = weight.shape[0], int(np.prod(weight.shape[1:]))
    step = max(1, SLICE_ELEMENTS // max(1, elements))
    for start in range(0, channels, step):
        part = slice(start, min(start + step, channels))
        rows = np.asarray(weight[part]).reshape(part.stop - start, elements)
        yield part, rows if rows.dtype == np.float32 else rows.astype(np.float64)


def _scaled(rows: npt.NDArray[Any], fraction: Array) -> npt.NDArray[Any]:
    """``rows * 2**fraction`` per row, exactly: in single precision only where its exponents suffice."""
    kind = rows.dtype if np.abs(fraction).max() < 100 else np.dtype(np.float64)
    scaled: npt.NDArray[Any] = rows * (2.0**fraction).astype(kind)[:, None]
    return scaled


def _fraction_bits(weight: Array, target: Format, per_channel: bool) -> Array:
    """Fraction bits per channel: the scale of least squared error, the covering one or one of a few finer ones."""
    largest = np.concatenate([np.abs(rows).max(axis=1, initial=0.0) for _, rows in _slices(weight)]).astype(np.float64)
    if not per_channel:
        largest = np.full_like(largest, largest.max(initial=0.0))
    fraction = target.covering(np.where(largest > 0, largest, 1.0))
    if target.plain and target.element_bits <= 8:  # clipping gains nothing where rounding error is already small
        errors = np.concatenate([_squared_errors(rows, fraction[part], target) for part, rows in _slices(weight)])
        fraction += (errors if per_channel else errors.sum(axis=0, keepdims=True)).argmin(axis=1)
    # A dead channel gets the scale of its finest neighbour, so that it does not widen the shifts.
    return np.where(largest > 0, fraction, fraction[largest > 0].max(initial=0))


def _squared_errors(rows: npt.NDArray[Any], fraction: Array, target: Format) -> Array:
    """Squared errors ``(channels, CLIPPING_STEPS)`` of scales ``fraction`` and finer, in units of the first."""
    errors = np.empty((len(rows), CLIPPING_STEPS))
    for step in range(CLIPPING_STEPS):
        scaled = _scaled(rows, fraction + step)
        difference = np.rint(scaled)
        np.clip(difference, target.minimum, target.maximum, out=difference)
        difference -= scaled
        errors[:, step] = np.einsum("ij,ij->i", difference, difference, dtype=np.float64) * 4.0**-step
    return errors


def _limit_by_bias(fraction: Array, bias: Array, input_fraction_bits: int) -> Array:
    """Coarsen channels whose weights are so small that the bias would need an absurd accumulator."""
    magnitude = np.maximum(np.abs(bias), 2.0**-60)
    limit = np.floor(LARGEST_BIAS_BITS - np.log2(magnitude)).astype(np.int64) - input_fraction_bits
    spread = np.full_like(limit, fraction.min() + 12)
    limited: Array = np.minimum(np.minimum(fraction, limit), spread)
    return limited
