"""Cast: changes an integer format, with the clamp of an activation function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from hwgen.technology.parts import Bill, Handshake, Registers, counters


@dataclass(frozen=True)
class Cast(Operator):
    """``out = requantize(x << left)`` element by element; ReLU and ReLU6 are clamps of the result.

    Contents: ``left`` and ``shift``, each ``()``; one of them is usually 0.

    Attributes:
        source: type of the input; an integer format.
        acc_bits: width of ``x << left``, and at least that of the result.
        result: requantisation.
        shift_bits: width of each shift amount.
        stages: registers within the arithmetic, as many as it has levels at most.
    """

    source: StreamType
    acc_bits: int
    result: Requantize
    shift_bits: int
    stages: int

    module = "dse_cast"
    uses = ("dse_credit_fifo", "dse_delay", "dse_requantizer")

    def __post_init__(self) -> None:
        self.require(self.source.format.plain, "the input has an integer format")
        self.require(2 <= self.acc_bits <= 62, f"the accumulator has 2 to 62 bits, not {self.acc_bits}")
        self.require(self.acc_bits >= self.result.target.bits, "the accumulator is at least as wide as the result")

    @staticmethod
    def acc_bits_for(source: IntFormat, target: IntFormat, left: int) -> int:
        """Accumulator bits that never overflow for these formats and this left shift."""
        return max(accumulator_bits(source.minimum << left, source.maximum << left), target.bits, 2)

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each: shift, rounding."""
        return 2

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.source}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.source.tokens, self.source.features, self.source.lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Lanes": self.source.lanes,
            "InWidth": self.source.element_bits,
            "InSigned": int(self.source.signed),
            "AccWidth": self.acc_bits,
            "ShiftWidth": self.shift_bits,
            "Stages": self.registers,
            **self.result.rtl_parameters(),
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        shifted = np.left_shift(inputs["in"].elements.astype(np.int64), contents["left"])
        return {"out": Words(self.result.apply(shifted, contents["shift"]))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        shifts = np.array([[int(contents["shift"]), int(contents["left"])]])
        return {"shift": MemoryImage(shifts, self.shift_bits)}

    def cycles(self) -> Cycles:
        return Cycles(latency=self.source.beats + 2 + self.registers, interval=self.source.beats)

    def bill(self) -> Bill:
        lanes, target = self.source.lanes, self.result.target.bits
        # A word that is shifted left is as wide as the accumulator before it is limited.
        width = max(self.acc_bits, self.source.element_bits + 1)
        rounding = [lanes * (max(width, target) + 1)] * 2
        held = places(self.registers, 1, base=2)
        return (
            requantizers(self.result, lanes, width, 1),
            Registers(pipeline_bits(rounding, self.registers) + 2 * self.registers),
            Memory(held, lanes * target + 1, apart=True),
            Registers(lanes * target + 2),
            *counters([held, held, held + 1, held + 1]),
            Handshake(),
        )

    def held(self, port: str) -> Fraction:
        """A beat in each register and place."""
        return Fraction(3 + self.registers, self.source.beats)
