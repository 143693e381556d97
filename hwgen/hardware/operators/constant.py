"""Constant: a source that repeats one stored tensor for every sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.memories import Constants
from hwgen.technology.parts import Bill, Counter, Handshake


@dataclass(frozen=True)
class Constant(Operator):
    """Contents: ``value`` ``(tokens, features)`` integer words. The reference gives one sample; designs repeat it.

    Attributes:
        stream: type of the output; an integer format.
    """

    stream: StreamType

    module = "dse_constant"
    uses = ()

    def __post_init__(self) -> None:
        self.require(self.stream.format.plain, "a constant has an integer format")

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": self.stream}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {"Width": self.stream.payload_bits, "Beats": self.stream.beats}

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return {"out": Words(contents["value"].reshape(1, self.stream.tokens, self.stream.features))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        beats = contents["value"].reshape(self.stream.beats, self.stream.lanes)
        return {"value": MemoryImage(beats, self.stream.element_bits)}

    def cycles(self) -> Cycles:
        """Latency counts from the first cycle after reset."""
        return Cycles(latency=self.stream.beats + 1, interval=self.stream.beats)

    def bill(self) -> Bill:
        return Constants(self.stream.beats, self.stream.payload_bits), Counter(self.stream.beats), Handshake()

    def held(self, port: str) -> Fraction:
        return Fraction(0)
