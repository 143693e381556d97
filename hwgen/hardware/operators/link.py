"""Link between two devices: serialisation, flight time and credits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.operators.fifo import Fifo
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.memories import Memory
from hwgen.technology.parts import Bill, DelayLine, counters


@dataclass(frozen=True)
class Link(Operator):
    """Carries a stream to another device; words are unchanged.

    Attributes:
        stream: type of the input and of the output.
        cycles_per_beat: cycles that one beat occupies the link, at least 1.
        latency_cycles: flight time, at least 1.
        credits: beats that the receiver can hold; enough to sustain one beat per ``cycles_per_beat`` cycles.
    """

    stream: StreamType
    cycles_per_beat: int
    latency_cycles: int
    credits: int

    module = "dse_link"
    uses = ("dse_fifo", "dse_spill_register")
    between_devices = True

    def __post_init__(self) -> None:
        self.require(
            self.cycles_per_beat >= 1, f"a beat occupies the link for at least 1 cycle: {self.cycles_per_beat}"
        )
        self.require(self.latency_cycles >= 1, f"the flight time is at least 1 cycle, not {self.latency_cycles}")
        least = self.least_credits(self.cycles_per_beat, self.latency_cycles)
        self.require(self.credits >= least, f"{least} credits sustain the rate, {self.credits} do not")

    @staticmethod
    def least_credits(cycles_per_beat: int, latency_cycles: int) -> int:
        """Fewest credits for which a credit is back before the link is free for its next beat (never below 3)."""
        # Serialisation and flight, two cycles through the receiver's buffer, the credit's flight, one to count it.
        round_trip = cycles_per_beat - 1 + latency_cycles + 2 + latency_cycles + 1
        return max(3, -(-round_trip // cycles_per_beat))

    @classmethod
    def paced(cls, stream: StreamType, cycles_per_beat: int, latency_cycles: int) -> Link:
        """The link of a given pace with just enough credits to sustain it."""
        return cls(stream, cycles_per_beat, latency_cycles, cls.least_credits(cycles_per_beat, latency_cycles))

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.stream}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": self.stream}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Width": self.stream.payload_bits,
            "CyclesPerBeat": self.cycles_per_beat,
            "LatencyCycles": self.latency_cycles,
            "Credits": self.credits,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return {"out": inputs["in"]}

    def cycles(self) -> Cycles:
        way = self.cycles_per_beat - 1 + self.latency_cycles + Fifo.delay_cycles(self.credits)
        sending = (self.stream.beats - 1) * self.cycles_per_beat + 1
        return Cycles(latency=sending + way, interval=self.stream.beats * self.cycles_per_beat)

    def bill(self) -> Bill:
        delay = self.cycles_per_beat - 1 + self.latency_cycles
        return (
            *Fifo(self.stream, self.credits).bill(),
            Memory(delay, self.stream.payload_bits + 1, registered=False),
            # The beats and the credits in flight.
            DelayLine(delay + self.latency_cycles),
            *counters([self.cycles_per_beat + 1, self.credits + 1, delay]),
        )

    def held(self, port: str) -> Fraction:
        return Fraction(self.credits, self.stream.beats)
