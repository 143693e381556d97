"""Reductions over a kernel, lane by lane: pooling and depthwise convolution, behind a window or over a whole sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator, accumulator_bits
from hwgen.hardware.operators.window import Axis
from hwgen.hardware.pipeline import pipeline_bits, places, registers
from hwgen.hardware.requantizers import requantizers
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.technology.memories import ConstantLogic, Constants, Memory, WordRegister
from hwgen.technology.parts import (
    Accumulators,
    Adders,
    Bill,
    Handshake,
    Maxima,
    Registers,
    Shifters,
    counters,
)
from hwgen.technology.products import ElementProducts, Factor, Multipliers


@dataclass(frozen=True)
class Reduce(Operator):
    """What the reductions have in common; use a subclass.

    Contents: ``shift`` ``()``, and what the subclass names.

    Attributes:
        tokens: output tokens per sample.
        kernel: input beats that make one output beat.
        channels: output features.
        lanes: elements per beat; they divide the channels.
        source: format of the input.
        whole: False: the input comes from a ``Window``, ``channels * kernel`` features per token. True: one output
            token is made of a whole sample of ``kernel`` tokens, without a window.
        result: requantisation.
        shift_bits: width of a shift amount.
        stages: registers within the arithmetic, as many as it has levels at most.
    """

    tokens: int
    kernel: int
    channels: int
    lanes: int
    source: Format
    whole: bool
    result: Requantize
    shift_bits: int
    stages: int

    module = "dse_reduce"
    uses = ("dse_adder_tree", "dse_credit_fifo", "dse_delay", "dse_product", "dse_reduce_lane", "dse_requantizer")
    mode: ClassVar[int]
    base: ClassVar[int] = 4  # cycles without registers: input, accumulator, buffer and output
    product_levels: ClassVar[int] = 0  # levels of the arithmetic before the shift by an exponent

    def __post_init__(self) -> None:
        self.require(self.channels % self.lanes == 0, f"lanes {self.lanes} divide the {self.channels} channels")
        self.require(not self.whole or self.tokens == 1, f"a whole sample makes one token, not {self.tokens}")
        self.require(self.kernel >= 1, f"a kernel has at least one position, not {self.kernel}")
        self.require(2 <= self.value_bits <= 62, f"values have 2 to 62 bits, not {self.value_bits}")

    @property
    def blocks(self) -> int:
        """Output beats per token."""
        return self.channels // self.lanes

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each: weights, products; exponents; shift, rounding."""
        return self.product_levels + (self.source.exponent_bits > 0) + 2

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def places(self) -> int:
        """Places of the output buffer; the results of a whole sample follow one another."""
        period, burst = (self.kernel * self.blocks, self.blocks) if self.whole else (self.kernel, 1)
        return places(self.registers, period, self.base, burst)

    @property
    @abstractmethod
    def acc_bits(self) -> int:
        """Accumulator width, never to overflow."""

    @property
    def value_bits(self) -> int:
        """Width of the value before requantisation."""
        return self.acc_bits

    @property
    def shared_shift(self) -> bool:
        """Whether there is one shift for all outputs."""
        return True

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        if self.whole:
            return {"in": StreamType(self.kernel, self.channels, self.lanes, self.source)}
        return {"in": StreamType(self.tokens, self.channels * self.kernel, self.lanes, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.channels, self.lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        stream = self.inputs["in"]
        return {
            "Mode": self.mode,
            "Whole": int(self.whole),
            "Lanes": self.lanes,
            "Blocks": self.blocks,
            "Kernel": self.kernel,
            **self.source.rtl("In"),
            "InSubBlocks": max(1, stream.exponents_per_beat),
            "AccWidth": self.acc_bits,
            "SharedShift": int(self.shared_shift),
            "ShiftWidth": self.shift_bits,
            "Stages": self.registers,
            **self.result.rtl_parameters(),
        }

    def kernels(self, words: Words) -> Array:
        """Input integers by kernel position, ``(samples, tokens, kernel, channels)``."""
        integers = words.integers(self.inputs["in"])
        if self.whole:
            return integers.reshape(words.samples, 1, self.kernel, self.channels)
        split = integers.reshape(words.samples, self.tokens, self.blocks, self.kernel, self.lanes)
        return split.transpose(0, 1, 3, 2, 4).reshape(words.samples, self.tokens, self.kernel, self.channels)

    def input_sum_bits(self, terms: int) -> int:
        """Width that holds the sum of ``terms`` input integers, their exponents applied."""
        top = self.source.max_exponent
        return max(2, accumulator_bits(terms * self.source.minimum << top, terms * self.source.maximum << top))

    @abstractmethod
    def accumulate(self, words: Words, contents: Mapping[str, Array]) -> Array:
        """Values before requantisation, ``(samples, tokens, channels)``."""

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return {"out": Words(self.result.apply(self.accumulate(inputs["in"], contents), contents["shift"]))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        shift = contents["shift"]
        self.require(int(shift.max()) <= self.value_bits, f"shifts are at most {self.value_bits}, not {shift.max()}")
        if self.shared_shift:
            return {"shift": MemoryImage(shift.reshape(1, 1), self.shift_bits)}
        per_channel = np.broadcast_to(shift, self.channels).reshape(self.blocks, self.lanes)
        return {"shift": MemoryImage(per_channel, self.shift_bits)}

    def cycles(self) -> Cycles:
        beats = self.inputs["in"].beats
        return Cycles(latency=beats + self.base + self.registers, interval=beats)

    @abstractmethod
    def arithmetic(self) -> Bill:
        """What a subclass computes with, requantisation included."""

    def bill(self) -> Bill:
        lanes, acc, source, out = self.lanes, self.acc_bits, self.inputs["in"], self.lanes * self.result.target.bits
        # The memory of one word is the accumulator itself.
        several = self.whole and self.blocks > 1
        sums = Memory(self.blocks, lanes * acc, apart=True)
        memory = (sums, WordRegister(sums)) if several else ()
        held = self.places
        return (
            Registers(source.payload_bits),
            Shifters(lanes, acc if source.exponent_bits else 0, source.exponent_bits),
            *self.arithmetic(),
            *memory,
            Registers(self._pipeline_bits()),
            Memory(held, out + 1, apart=True),
            Registers(out + 2),
            *counters([self.blocks, self.kernel, held, held, held + 1, held + 1]),
            Handshake(),
        )

    def _pipeline_bits(self) -> int:
        """Flip-flops of the registers within the arithmetic, and of the beats on their way."""
        aligned = [self.lanes * self.acc_bits] if self.source.exponent_bits else []
        rounding = [self.lanes * (self.shifted_bits + 1)] * 2
        step = 4 + (self.blocks - 1).bit_length()
        levels = [*self.product_bits(), *aligned, *rounding]
        return pipeline_bits(levels, self.registers) + step * (self.registers + 2)

    def product_bits(self) -> list[int]:
        """Bits that leave each level before the shift by an exponent."""
        return []

    @property
    def shifted_bits(self) -> int:
        """Bits that the shift of the requantisation leaves at most."""
        return self.value_bits

    def held(self, port: str) -> Fraction:
        beats = self.inputs["in"].beats
        if self.whole:  # until its last pixel, and the next ones while its results are on their way
            return Fraction(beats + self.registers + 5, beats)
        # A result in each place and in the output register, and one in the making.
        return Fraction((self.places + 2) * self.kernel + 2, beats)


@dataclass(frozen=True)
class MaxPool(Reduce):
    """``out = requantize(max(in))``. The window before it pads with the format's minimum."""

    mode = 0

    @property
    def acc_bits(self) -> int:
        """Accumulator width: one input integer."""
        return self.input_sum_bits(1)

    def arithmetic(self) -> Bill:
        source = self.inputs["in"]
        width = self.acc_bits if source.exponent_bits else source.element_bits
        narrows = self.result.target.bits < width
        # A result as wide as the input goes through unchanged.
        result = (requantizers(self.result, self.lanes, self.acc_bits, 1),) if narrows else ()
        largest = Maxima(self.lanes, width, shifted=source.exponent_bits > 0)
        return largest, Registers(self.lanes * self.acc_bits), *result

    def accumulate(self, words: Words, contents: Mapping[str, Array]) -> Array:
        """Values before requantisation, ``(samples, tokens, channels)``."""
        largest: Array = self.kernels(words).max(axis=2)
        return largest


@dataclass(frozen=True, kw_only=True)
class AveragePool(Reduce):
    """``out = requantize(sum(in) * multiplier[token])``.

    Contents: ``multiplier`` ``()`` or ``(tokens,)`` unsigned; ``average_contents`` makes it and bounds the error.

    Attributes:
        multiplier_bits: width of a multiplier.
        per_token: a multiplier for each output token, where windows at the border have other divisors.
    """

    multiplier_bits: int
    per_token: bool

    mode = 1
    base = 5  # one more than the others, for the multiplier

    @property
    def acc_bits(self) -> int:
        """Accumulator width: the sum of a kernel."""
        return self.input_sum_bits(self.kernel)

    @property
    def value_bits(self) -> int:
        """Width of the product with the multiplier."""
        return self.acc_bits + self.multiplier_bits

    @property
    def shifted_bits(self) -> int:
        """Bits that the shift of ``average_contents`` leaves: an average at the result's scale."""
        gain = self.result.target.fraction_bits - self.source.fraction_bits
        return max(1, self.acc_bits + gain - (self.kernel - 1).bit_length() + 1)

    def rtl_parameters(self) -> Mapping[str, int]:
        depth = self.tokens if self.per_token else 1
        return {**super().rtl_parameters(), "MultWidth": self.multiplier_bits, "MultDepth": depth}

    def arithmetic(self) -> Bill:
        lanes, acc, multiplier = self.lanes, self.acc_bits, self.multiplier_bits
        return (
            Accumulators(lanes, acc, starts=self.kernel > 1),
            Multipliers(lanes, acc, multiplier + 1, registered=self.value_bits),
            ConstantLogic(self.tokens if self.per_token else 1, multiplier),
            *counters([self.tokens if self.per_token else 1]),
            requantizers(self.result, lanes, self.value_bits, 1),
        )

    def accumulate(self, words: Words, contents: Mapping[str, Array]) -> Array:
        """Values before requantisation, ``(samples, tokens, channels)``."""
        sums = self.kernels(words).sum(axis=2, dtype=np.int64)
        scaled: Array = sums * contents["multiplier"].astype(np.int64).reshape(-1, 1)
        return scaled

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        multiplier = MemoryImage(contents["multiplier"].reshape(-1, 1), self.multiplier_bits)
        return {**super().memory_images(contents), "multiplier": multiplier}


@dataclass(frozen=True, kw_only=True)
class Depthwise(Reduce):
    """``out[c] = requantize(sum_k(weight[c, k] * in[k, c]) + bias[c])``: one kernel per channel.

    Contents: ``weight`` ``(channels, kernel)`` integers, kernel positions row-major; ``bias`` ``(channels,)`` at the
    accumulator's scale; ``shift`` ``(channels,)`` or ``()``. Shared-exponent weights become integers by their exponent.

    Attributes:
        weight: format of the weights.
        sum_bits: accumulator width; ``accumulator_bits`` of the true bounds, bias included.
        one_shift: one shift for all outputs.
    """

    weight: IntFormat
    sum_bits: int
    one_shift: bool

    mode = 2
    product_levels = 2

    @property
    def acc_bits(self) -> int:
        """Accumulator width."""
        return self.sum_bits

    @property
    def shared_shift(self) -> bool:
        """Whether there is one shift for all outputs."""
        return self.one_shift

    def rtl_parameters(self) -> Mapping[str, int]:
        weight = {"WeightWidth": self.weight.bits, "WeightSigned": int(self.weight.signed)}
        return {**super().rtl_parameters(), **weight}

    def arithmetic(self) -> Bill:
        lanes, acc, depth = self.lanes, self.acc_bits, self.blocks * self.kernel
        source = Factor(self.inputs["in"].format.decoded_bits, self.inputs["in"].signed)
        return (
            ElementProducts(lanes, 1, source, Factor(self.weight.bits, self.weight.signed), words=depth),
            Adders(lanes, acc),
            Accumulators(lanes, acc, starts=self.kernel > 1),
            Constants(depth, lanes * self.weight.bits),
            Constants(self.blocks, lanes * acc),
            *counters([depth]),
            requantizers(self.result, lanes, acc, 1 if self.shared_shift else self.blocks),
        )

    def product_bits(self) -> list[int]:
        """Bits that leave each level before the shift by an exponent: words, products."""
        source = self.inputs["in"]
        words = source.payload_bits + self.lanes * self.weight.bits
        return [words, self.lanes * (source.element_bits + self.weight.bits)]

    def accumulate(self, words: Words, contents: Mapping[str, Array]) -> Array:
        """Values before requantisation, ``(samples, tokens, channels)``."""
        exact = np.int32 if self.acc_bits <= 32 else np.int64
        products = self.kernels(words).astype(exact) * contents["weight"].T.astype(exact)
        total: Array = products.sum(axis=2, dtype=exact) + contents["bias"].astype(exact)
        return total

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        by_block = contents["weight"].reshape(self.blocks, self.lanes, self.kernel)
        order = (2, 0, 1) if self.whole else (0, 2, 1)
        bias = contents["bias"].reshape(self.blocks, self.lanes)
        return {
            **super().memory_images(contents),
            "weight": MemoryImage(by_block.transpose(order).reshape(-1, self.lanes), self.weight.bits),
            "bias": MemoryImage(bias, self.acc_bits),
        }


def pool_divisors(axis: Axis, after: int, count_include_pad: bool) -> Array:
    """How many positions of each window count for an average, along one axis; a window's divisor is the product.

    Args:
        axis: the axis as the window sees it; rounding sizes up may have enlarged ``axis.after``.
        after: padding after the grid that the model declares.
        count_include_pad: whether declared padding counts.

    Returns:
        ``(outputs,)`` counts, at least 1.
    """
    low, high = (-axis.before, axis.size + after) if count_include_pad else (0, axis.size)
    counted = (axis.positions >= low) & (axis.positions < high)
    counts: Array = np.maximum(counted.sum(axis=1), 1)
    return counts


def average_contents(divisors: Array, multiplier_bits: int, gain_bits: int = 0) -> dict[str, Array]:
    """Multiplier and shift with ``sum * multiplier * 2**-shift`` near ``sum / divisor * 2**gain_bits``.

    The multiplier is rounded to nearest, so the value before the last rounding is off by at most a factor of
    ``1 + 1 / (2 * multiplier)``. With rounding to nearest, the result ``y`` differs from the exact average by at most
    ``0.5 + |y| / (2 * min(multiplier))`` units in the last place, apart from saturation; the largest multiplier has
    its top bit set. A divisor that is a power of two is exact.

    Args:
        divisors: ``()`` or ``(tokens,)`` counts.
        multiplier_bits: width of a multiplier.
        gain_bits: fraction bits of the result less those of the input.

    Returns:
        ``multiplier`` and ``shift``.

    Raises:
        ValueError: the gain is so large that the shift would be negative.
    """
    least = int(divisors.min())
    shift = multiplier_bits - gain_bits + least.bit_length()
    while np.rint(2.0 ** (shift + gain_bits) / least) >= 2**multiplier_bits:
        shift -= 1
    if shift < 0:
        raise ValueError(f"a gain of 2**{gain_bits} needs multipliers of more than {multiplier_bits} bits")
    return {"multiplier": np.rint(2.0 ** (shift + gain_bits) / divisors).astype(np.int64), "shift": np.array(shift)}
