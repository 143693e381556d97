"""Float weights to integers: per-tensor or per-channel power-of-two scales, or shared-exponent blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.lowering.calibration import best_fraction_bits, channel_fraction_bits
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import FormatChoice, IntFormat, MxFormat

WEIGHT_EXPONENT_BITS = 2  # a block may be up to eight times finer than the tensor's largest block
LARGEST_BIAS_BITS = 30


@dataclass(frozen=True)
class QuantizedWeights:
    """Integer weights of a linear layer or convolution.

    Attributes:
        format: of the elements; the scale of channel ``c`` is ``2**-fraction_bits[c]``.
        weight: integers in the shape of the float weights, mantissas for shared-exponent blocks.
        exponent: per element, equal within a block; None for integers.
        bias: ``(channels,)`` at the scale of the accumulators.
        fraction_bits: ``(channels,)``.
    """

    format: IntFormat | MxFormat
    weight: Array
    exponent: Array | None
    bias: Array
    fraction_bits: Array

    @property
    def largest_magnitude(self) -> int:
        """Largest magnitude that an element of the format can have."""
        if isinstance(self.format, MxFormat):
            return -self.format.minimum << self.format.max_exponent
        return max(self.format.maximum, -self.format.minimum)

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
    channels = weight.shape[0]
    rows = weight.reshape(channels, -1).astype(np.float64)
    bias = np.zeros(channels) if bias is None else bias.astype(np.float64)
    if choice.kind == "mxint":
        fraction = _limit_by_bias(_share_fraction(rows, choice, per_channel), bias, input_fraction_bits)
        words, exponents = _blocks(rows, choice, fraction)
        target: IntFormat | MxFormat = MxFormat(choice.bits, choice.block, WEIGHT_EXPONENT_BITS)
        exponent: Array | None = exponents.reshape(weight.shape)
    else:
        signed = choice.kind == "int"
        if per_channel:
            fraction = channel_fraction_bits(rows, choice.bits, signed)
        else:
            fraction = np.full(channels, best_fraction_bits(rows.ravel(), choice.bits, signed))
        fraction = _limit_by_bias(fraction, bias, input_fraction_bits)
        target, exponent = IntFormat(choice.bits, signed), None
        words = np.clip(np.rint(rows * 2.0 ** fraction[:, None]), target.minimum, target.maximum)
    words = words.astype(np.int32).reshape(weight.shape)
    scaled_bias = np.rint(bias * 2.0 ** (fraction + input_fraction_bits)).astype(np.int64)
    return QuantizedWeights(target, words, exponent, scaled_bias, fraction)


def _limit_by_bias(fraction: Array, bias: Array, input_fraction_bits: int) -> Array:
    """Coarsen channels whose weights are so small that the bias would need an absurd accumulator."""
    magnitude = np.maximum(np.abs(bias), 2.0**-60)
    limit = np.floor(LARGEST_BIAS_BITS - np.log2(magnitude)).astype(np.int64) - input_fraction_bits
    spread = np.full_like(limit, fraction.min() + 12)
    limited: Array = np.minimum(np.minimum(fraction, limit), spread)
    return limited


def _share_fraction(rows: Array, choice: FormatChoice, per_channel: bool) -> Array:
    """Finest scale at which the largest weight fits with the largest exponent."""
    top = (1 << (choice.bits - 1)) - 1
    largest = np.abs(rows).max(axis=1, initial=0.0)
    if not per_channel:
        largest = np.full_like(largest, largest.max(initial=0.0))
    safe = np.where(largest > 0, largest, 1.0)
    fraction: Array = np.floor(np.log2((top + 0.5) * 2.0 ** ((1 << WEIGHT_EXPONENT_BITS) - 1) / safe)).astype(np.int64)
    return np.where(largest > 0, fraction, fraction[largest > 0].max(initial=0))


def _blocks(rows: Array, choice: FormatChoice, fraction: Array) -> tuple[Array, Array]:
    """Mantissas and per-element exponents of blocks along axis 1."""
    channels, length = rows.shape
    padded = np.zeros((channels, -(-length // choice.block) * choice.block))
    padded[:, :length] = rows * 2.0 ** fraction[:, None]
    blocks = padded.reshape(channels, -1, choice.block)
    top, bottom = (1 << (choice.bits - 1)) - 1, -(1 << (choice.bits - 1))
    largest = np.maximum(np.abs(blocks).max(axis=2), 2.0**-60)
    limit = (1 << WEIGHT_EXPONENT_BITS) - 1
    exponent = np.clip(np.ceil(np.log2(largest / (top + 0.5))), 0, limit).astype(np.int64)
    mantissa = np.clip(np.rint(blocks / 2.0 ** exponent[:, :, None]), bottom, top).astype(np.int32)
    spread = np.repeat(exponent, choice.block, axis=1)[:, :length]
    return mantissa.reshape(channels, -1)[:, :length], spread
