"""Elementwise sum and product of two streams: residual connections, gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator, accumulator_bits
from hwgen.hardware.pipeline import pipeline_bits, places, registers
from hwgen.hardware.requantizers import requantizers
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.technology.memories import Memory
from hwgen.technology.parts import Adders, Bill, Handshake, Registers, SpillRegister, counters
from hwgen.technology.products import ElementProducts, Factor


class Function(IntEnum):
    """What is done with two elements. The values are the ``Multiply`` parameter of the RTL."""

    ADD = 0
    MULTIPLY = 1


@dataclass(frozen=True)
class Eltwise(Operator):
    """``out = requantize((a << left_a) op (b << left_b))`` element by element.

    Contents: ``left_a``, ``left_b``, ``shift``, each ``()``: the left shifts bring both operands to one scale.

    Attributes:
        function: sum or product.
        tokens, features, lanes: of both inputs and of the output.
        a, b: integer formats of the inputs.
        acc_bits: width of the sum or product; ``acc_bits_for`` the shifts.
        result: requantisation.
        shift_bits: width of each shift amount.
        stages: registers within the arithmetic, as many as it has levels at most.
    """

    function: Function
    tokens: int
    features: int
    lanes: int
    a: IntFormat
    b: IntFormat
    acc_bits: int
    result: Requantize
    shift_bits: int
    stages: int

    module = "dse_eltwise"
    uses = ("dse_credit_fifo", "dse_delay", "dse_join", "dse_product", "dse_requantizer", "dse_spill_register")

    def __post_init__(self) -> None:
        self.require(2 <= self.acc_bits <= 62, f"the accumulator has 2 to 62 bits, not {self.acc_bits}")
        self.require(self.acc_bits >= self.result.target.bits, "the accumulator is at least as wide as the result")

    @staticmethod
    def acc_bits_for(function: Function, a: IntFormat, b: IntFormat, left_a: int, left_b: int) -> int:
        """Accumulator bits that never overflow for these formats and left shifts."""
        low_a, high_a = a.minimum << left_a, a.maximum << left_a
        low_b, high_b = b.minimum << left_b, b.maximum << left_b
        if function is Function.ADD:
            bits = accumulator_bits(low_a + low_b, high_a + high_b)
        else:
            corners = [x * y for x in (low_a, high_a) for y in (low_b, high_b)]
            bits = accumulator_bits(min(corners), max(corners))
        return max(bits, accumulator_bits(low_a, high_a), accumulator_bits(low_b, high_b))

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each: sum or product, shift, rounding."""
        return 3

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        shape = (self.tokens, self.features, self.lanes)
        return {"a": StreamType(*shape, self.a), "b": StreamType(*shape, self.b)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.features, self.lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Lanes": self.lanes,
            "Multiply": int(self.function),
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
        a = np.left_shift(inputs["a"].elements.astype(np.int64), contents["left_a"])
        b = np.left_shift(inputs["b"].elements.astype(np.int64), contents["left_b"])
        combined = a + b if self.function is Function.ADD else a * b
        return {"out": Words(self.result.apply(combined, contents["shift"]))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        shifts = [int(contents[name]) for name in ("shift", "left_a", "left_b")]
        return {"shift": MemoryImage(np.array([shifts]), self.shift_bits)}

    def cycles(self) -> Cycles:
        beats = self.outputs["out"].beats
        return Cycles(latency=beats + 3 + self.registers, interval=beats)

    def bill(self) -> Bill:
        lanes, acc, out = self.lanes, self.acc_bits, self.result.target.bits
        widest = self.a.bits + (not self.a.signed) + self.b.bits + (not self.b.signed)
        add = self.function is Function.ADD
        value = min(acc, widest)
        rounding = [lanes * (max(acc, out) + 1)] * 2
        a, b = Factor(self.a.bits, self.a.signed), Factor(self.b.bits, self.b.signed)
        held = places(self.registers, 1, base=2)
        return (
            Adders(lanes, acc) if add else ElementProducts(lanes, 1, a, b),
            requantizers(self.result, lanes, acc, 1),
            Registers(pipeline_bits([lanes * value, *rounding], self.registers) + 2 * self.registers),
            # Both inputs wait in spill registers for one another.
            SpillRegister(lanes * self.a.bits),
            SpillRegister(lanes * self.b.bits),
            Memory(held, lanes * out + 1, apart=True),
            Registers(lanes * out + 2),
            *counters([held, held, held + 1, held + 1]),
            Handshake(),
        )

    def held(self, port: str) -> Fraction:
        """Two beats in the input register, one in each register and place behind it."""
        return Fraction(5 + self.registers, self.outputs["out"].beats)
