"""Product of two activation streams: attention scores and weighted sums of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator, accumulator_bits
from hwgen.hardware.pipeline import pipeline_bits, places, registers
from hwgen.hardware.requantizers import requantizers
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array, exact_type
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.technology.memories import Memory, WordRegister
from hwgen.technology.parts import Accumulators, Adders, Bill, Handshake, Registers, counters
from hwgen.technology.products import ElementProducts, Factor


@dataclass(frozen=True)
class Matmul(Operator):
    """``out[t, h, n] = requantize(sum_r a[t, h, r] * b_h[r, n])`` with ``b_h[r, n]`` from the second stream.

    ``a`` is ``(tokens, heads * reduction)``. With ``transpose_b``, ``b`` is ``(outputs, heads * reduction)`` and
    ``b_h[r, n] = b[n, h, r]``; its lanes are ``in_lanes``. Otherwise ``b`` is ``(reduction, heads * outputs)`` and
    ``b_h[r, n] = b[r, h, n]``; its lanes are ``out_lanes``. The output is ``(tokens, heads * outputs)``.

    Contents: ``shift`` ``()``, at least 0.

    Lowering: ``design`` chooses the accumulator and the shift from the formats. The memory of ``b`` holds ``banks``
    whole samples (``banks * outputs * heads * reduction * b.bits`` bits). Two banks: a sample takes the longer of
    loading ``b`` and multiplying. One bank: the sum of both, and half the memory.

    Attributes:
        tokens: tokens of ``a``.
        heads: independent products side by side in the features.
        reduction: summed elements per head.
        outputs: results per token and head.
        transpose_b: which axis of ``b`` is summed, see above.
        in_lanes: summed elements per cycle; divides ``reduction``.
        out_lanes: results per cycle; divides ``outputs``.
        a, b: formats of the operands.
        acc_bits: accumulator width, ``accumulator_bits`` of the true bounds.
        result: requantisation.
        shift_bits: width of the shift amount.
        stages: registers within the arithmetic, as many as it has levels at most.
        banks: samples of ``b`` that are stored, 1 or 2.
    """

    tokens: int
    heads: int
    reduction: int
    outputs_per_head: int
    transpose_b: bool
    in_lanes: int
    out_lanes: int
    a: IntFormat
    b: IntFormat
    acc_bits: int
    result: Requantize
    shift_bits: int
    stages: int
    banks: int = 2

    module = "dse_matmul"
    uses = ("dse_adder_tree", "dse_credit_fifo", "dse_delay", "dse_dot", "dse_product", "dse_requantizer")

    def __post_init__(self) -> None:
        self.require(self.reduction % self.in_lanes == 0, f"in_lanes {self.in_lanes} divide {self.reduction}")
        self.require(
            self.outputs_per_head % self.out_lanes == 0, f"out_lanes {self.out_lanes} divide {self.outputs_per_head}"
        )
        self.require(2 <= self.acc_bits <= 62, f"the accumulator has 2 to 62 bits, not {self.acc_bits}")
        self.require(self.banks in (1, 2), f"banks are 1 or 2, not {self.banks}")

    @staticmethod
    def design(
        shape: tuple[int, int, int, int],
        transpose_b: bool,
        lanes: tuple[int, int],
        a: IntFormat,
        b: IntFormat,
        result: Requantize,
        stages: int,
        banks: int = 2,
    ) -> tuple[Matmul, dict[str, Array]]:
        """The operator with the narrowest exact accumulator, and its contents.

        Args:
            shape: tokens, heads, reduction, outputs per head.
            transpose_b: see the class.
            lanes: in_lanes, out_lanes.
            a: format of the first operand.
            b: format of the second one.
            result: requantisation; its target has at most the fraction bits of the exact product.
            stages: registers within the arithmetic.
            banks: stored samples of ``b``.

        Raises:
            IllegalParameters: the lanes do not divide the shape, or the target is finer than the exact product.
        """
        shift = a.fraction_bits + b.fraction_bits - result.target.fraction_bits
        products = [x * y for x in (a.minimum, a.maximum) for y in (b.minimum, b.maximum)]
        acc_bits = max(accumulator_bits(shape[2] * min(products), shape[2] * max(products)), shift, 2)
        width = max(1, shift.bit_length())
        operator = Matmul(*shape, transpose_b, *lanes, a, b, acc_bits, result, width, stages, banks)
        operator.require(shift >= 0, f"the result has {-shift} more fraction bits than the exact product")
        return operator, {"shift": np.array(shift)}

    @property
    def in_blocks(self) -> int:
        """Beats of ``a`` per token and head."""
        return self.reduction // self.in_lanes

    @property
    def out_blocks(self) -> int:
        """Output beats per token and head."""
        return self.outputs_per_head // self.out_lanes

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each: words, products, adders, shift, rounding."""
        return 4 + (self.in_lanes - 1).bit_length()

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        if self.transpose_b:
            b = StreamType(self.outputs_per_head, self.heads * self.reduction, self.in_lanes, self.b)
        else:
            b = StreamType(self.reduction, self.heads * self.outputs_per_head, self.out_lanes, self.b)
        return {"a": StreamType(self.tokens, self.heads * self.reduction, self.in_lanes, self.a), "b": b}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        features = self.heads * self.outputs_per_head
        return {"out": StreamType(self.tokens, features, self.out_lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "InLanes": self.in_lanes,
            "OutLanes": self.out_lanes,
            "InBlocks": self.in_blocks,
            "OutBlocks": self.out_blocks,
            "Heads": self.heads,
            "Transpose": int(self.transpose_b),
            "Banks": self.banks,
            "AWidth": self.a.bits,
            "ASigned": int(self.a.signed),
            "BWidth": self.b.bits,
            "BSigned": int(self.b.signed),
            "AccWidth": self.acc_bits,
            "ShiftWidth": self.shift_bits,
            "Stages": self.registers,
            **self.result.rtl_parameters(),
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        exact = exact_type(self.acc_bits)
        a, b = (inputs[port].elements for port in ("a", "b"))
        samples = a.shape[0]
        left = a.reshape(samples, self.tokens, self.heads, self.reduction).transpose(0, 2, 1, 3).astype(exact)
        stored = b.reshape(samples, b.shape[1], self.heads, -1).transpose(0, 2, 1, 3).astype(exact)
        sums = left @ (stored.swapaxes(2, 3) if self.transpose_b else stored)  # (samples, heads, tokens, outputs)
        total = sums.transpose(0, 2, 1, 3).reshape(samples, self.tokens, -1).astype(np.int64)
        return {"out": Words(self.result.apply(total, contents["shift"]))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        return {"shift": MemoryImage(contents["shift"].reshape(1, 1), self.shift_bits)}

    def cycles(self) -> Cycles:
        load = self.inputs["b"].beats
        multiply = self.tokens * self.heads * self.in_blocks * self.out_blocks
        interval = max(load, multiply) if self.banks == 2 else load + multiply
        # Words, accumulator, buffer and output register take a cycle each.
        return Cycles(latency=load + multiply + 4 + self.registers, interval=interval)

    def bill(self) -> Bill:
        n, m, acc, out = self.in_lanes, self.out_lanes, self.acc_bits, self.out_lanes * self.result.target.bits
        blocks, depth = self.in_blocks, self.heads * self.in_blocks * self.out_blocks * self.banks
        slots, held = m if self.transpose_b else n, places(self.registers, blocks)
        a, b = Factor(self.a.bits, self.a.signed), Factor(self.b.bits, self.b.signed)
        loops = [blocks, blocks, 2 * blocks, 2 * blocks, self.out_blocks, slots, self.heads]
        stored, vectors = Memory(depth, n * m * b.bits // slots, apart=True), Memory(2 * blocks, n * a.bits, apart=True)
        return (
            *[stored, WordRegister(stored)] * slots,
            vectors,
            WordRegister(vectors),
            ElementProducts(n, m, a, b),
            Adders((n - 1) * m, a.bits + b.bits + 1 + (n - 1).bit_length()),
            Accumulators(m, acc, starts=blocks > 1),
            Registers(self._pipeline_bits()),
            requantizers(self.result, m, acc, 1),
            Memory(held, out + 1, apart=True),
            Registers(out + 2),
            *counters([*loops, *[depth] * 3, held, held, held + 1, held + 1]),
            Handshake(),
        )

    def _pipeline_bits(self) -> int:
        """Flip-flops of the registers within the arithmetic, and of the steps on their way."""
        n, m, product = self.in_lanes, self.out_lanes, self.a.bits + self.b.bits
        depth = (n - 1).bit_length()
        words = n * self.a.bits + n * m * self.b.bits
        tree = [m * ceil(n / (1 << k)) * (product + depth) for k in range(1, depth + 1)]
        rounding = [m * (self.acc_bits + 1)] * 2
        return pipeline_bits([words, n * m * product, *tree, *rounding], self.registers) + 4 * (self.registers + 2)

    def held(self, port: str) -> Fraction:
        if port == "b":
            return Fraction(1)  # a second one may be inside, but the first one can leave by then
        # Two banks, and what is on its way to the output.
        behind = Fraction(self.registers + 4, self.in_blocks * self.out_blocks)
        return (2 + max(Fraction(1), behind)) / (self.tokens * self.heads)

    def absorbs(self, port: str) -> Fraction:
        return Fraction(self.banks - 1) if port == "b" else Fraction(0)
