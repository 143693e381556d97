"""FIFO: a buffer on a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.memories import Memory, WordRegister
from hwgen.technology.parts import Bill, Handshake, SpillRegister, counters


@dataclass(frozen=True)
class Fifo(Operator):
    """Holds at least ``depth`` beats (two when it is 1) and passes one beat per cycle at every depth.

    Attributes:
        stream: type of the input and of the output.
        depth: beats, at least 1.
    """

    stream: StreamType
    depth: int

    module = "dse_fifo"

    def __post_init__(self) -> None:
        self.require(self.depth >= 1, f"a FIFO holds at least 1 beat, not {self.depth}")

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.stream}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": self.stream}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {"Width": self.stream.payload_bits, "Depth": self.depth}

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return {"out": inputs["in"]}

    @staticmethod
    def delay_cycles(depth: int) -> int:
        """Cycles from the input transfer of a beat until the output offers it."""
        return 1 if depth <= 2 else 2

    def cycles(self) -> Cycles:
        return Cycles(latency=self.stream.beats + self.delay_cycles(self.depth), interval=self.stream.beats)

    def bill(self) -> Bill:
        width, depth = self.stream.payload_bits, self.depth
        if depth <= 2:
            return SpillRegister(width), Handshake()
        memory = Memory(depth - 1, width + 1, transparent=False)
        return memory, WordRegister(memory), *counters([depth - 1, depth - 1, depth]), Handshake()

    def held(self, port: str) -> Fraction:
        return Fraction(max(2, self.depth), self.stream.beats)
