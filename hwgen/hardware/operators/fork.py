"""Fork: one stream to several consumers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.parts import Bill, DoneFlags, Handshake, SpillRegister

MAX_COPIES = 4


@dataclass(frozen=True)
class _Fork(Operator):
    """Copies every beat to outputs ``out0``, ``out1`` …; each accepts when it likes, at most one beat ahead.

    Attributes:
        stream: type of the input and of every output.
    """

    stream: StreamType

    copies = 2

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.stream}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {f"out{i}": self.stream for i in range(self.copies)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {"Width": self.stream.payload_bits}

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return dict.fromkeys(self.outputs, inputs["in"])

    def cycles(self) -> Cycles:
        return Cycles(latency=self.stream.beats + 1, interval=self.stream.beats)

    def bill(self) -> Bill:
        return SpillRegister(self.stream.payload_bits), DoneFlags(self.copies), Handshake()

    def held(self, port: str) -> Fraction:
        return Fraction(2, self.stream.beats)


class Fork2(_Fork):
    """A fork with two consumers."""

    module = "dse_fork2"
    uses = ("dse_fork", "dse_spill_register")
    copies = 2


class Fork3(_Fork):
    """A fork with three consumers."""

    module = "dse_fork3"
    uses = ("dse_fork", "dse_spill_register")
    copies = 3


class Fork4(_Fork):
    """A fork with four consumers; more are reached by a tree of forks."""

    module = "dse_fork4"
    uses = ("dse_fork", "dse_spill_register")
    copies = 4


def fork(stream: StreamType, copies: int) -> Operator:
    """The fork of ``stream`` to ``copies`` consumers, 2 to ``MAX_COPIES``; raises KeyError for another number."""
    kinds: dict[int, type[_Fork]] = {2: Fork2, 3: Fork3, 4: Fork4}
    return kinds[copies](stream)
