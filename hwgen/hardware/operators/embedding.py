"""Embedding: rows of a stored table gathered by token id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.pipeline import pipeline_bits, registers
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.technology.memories import Constants, distinct
from hwgen.technology.parts import Bill, Handshake, Registers, SpillRegister, bits, counters
from hwgen.technology.products import Multipliers


@dataclass(frozen=True)
class Embedding(Operator):
    """``out[t] = table[min(in[t], vocabulary - 1)]``.

    Contents: ``table`` ``(vocabulary, features)`` words of ``target``. An id beyond the vocabulary reads the last row,
    so that the hardware never reads outside its memory.

    Lowering: ``source`` is the unsigned format of ``vocabulary - 1``; the table is quantized like an activation.

    Attributes:
        tokens: ids per sample.
        vocabulary: rows of the table.
        features: elements per row.
        lanes: elements per output beat.
        source: unsigned format of the ids, at most 24 bits.
        target: format of the table.
        stages: registers, as many as there are levels at most.
    """

    tokens: int
    vocabulary: int
    features: int
    lanes: int
    source: IntFormat
    target: IntFormat
    stages: int

    module = "dse_embedding"

    def __post_init__(self) -> None:
        self.require(self.features % self.lanes == 0, f"lanes {self.lanes} divide {self.features}")
        self.require(not self.source.signed and self.source.bits <= 24, "ids are unsigned words of at most 24 bits")
        self.require(self.vocabulary >= 1, "the table has at least one row")

    @property
    def blocks(self) -> int:
        """Output beats per token."""
        return self.features // self.lanes

    @property
    def levels(self) -> int:
        """Levels that can have a register each: the limited id, the table's word."""
        return 2

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.tokens, 1, 1, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.features, self.lanes, self.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Lanes": self.lanes,
            "Blocks": self.blocks,
            "Vocabulary": self.vocabulary,
            "InWidth": self.source.bits,
            "OutWidth": self.target.bits,
            "Stages": self.registers,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        ids = np.minimum(inputs["in"].elements[..., 0], self.vocabulary - 1)
        return {"out": Words(contents["table"][ids].astype(np.int32))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        return {"table": MemoryImage(contents["table"].reshape(-1, self.lanes), self.target.bits)}

    def cycles(self) -> Cycles:
        beats = self.tokens * self.blocks
        return Cycles(latency=beats + 3 + self.registers, interval=beats)

    def bill(self) -> Bill:
        depth, width = self.vocabulary * self.blocks, self.lanes * self.target.bits
        power_of_two = self.blocks & (self.blocks - 1) == 0
        address = () if power_of_two else (Multipliers(1, self.source.bits, bits(self.blocks + 1)),)
        return (
            Constants(depth, width),
            *address,
            Registers(self._pipeline_bits()),
            SpillRegister(distinct(1 << bits(depth), width)),
            *counters([self.blocks, depth, 1 << self.source.bits]),
            Handshake(),
        )

    def _pipeline_bits(self) -> int:
        """Flip-flops of the registers, with the valid and last of what they hold."""
        word = ceil(distinct(1 << bits(self.vocabulary * self.blocks), self.lanes * self.target.bits))
        return pipeline_bits([self.source.bits + 2, word + 2], self.registers)

    def held(self, port: str) -> Fraction:
        # Two ids wait, at most three beats and those in registers are behind them.
        return Fraction(2 + -(-(3 + self.registers) // self.blocks), self.tokens)
