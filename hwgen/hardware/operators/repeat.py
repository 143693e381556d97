"""Repetition of tokens, or of one feature: broadcasting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.memories import Memory
from hwgen.technology.parts import Bill, Handshake, Part, Selectors, SpillRegister, counters


@dataclass(frozen=True)
class Repeat(Operator):
    """Sends every run of ``block_tokens`` tokens ``copies`` times.

    ``block_tokens = tokens`` repeats the whole tensor along a new first axis; 1 repeats each token in place.

    Attributes:
        source: type of the input; an integer format.
        block_tokens: tokens repeated as a whole; divides the tokens.
        copies: at least 2.
    """

    source: StreamType
    block_tokens: int
    copies: int

    module = "dse_repeat"

    def __post_init__(self) -> None:
        self.require(self.source.format.plain, "the input has an integer format")
        self.require(self.copies >= 2, f"at least 2 copies, not {self.copies}")
        self.require(self.source.tokens % self.block_tokens == 0, f"{self.block_tokens} tokens divide the tokens")

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.source}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        source = self.source
        return {"out": StreamType(source.tokens * self.copies, source.features, source.lanes, source.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Width": self.source.payload_bits,
            "Beats": self.block_tokens * self.source.blocks,
            "Copies": self.copies,
            "Spread": 1,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        elements, source = inputs["in"].elements, self.source
        blocks = elements.reshape(elements.shape[0], source.tokens // self.block_tokens, 1, -1)
        repeated = np.repeat(blocks, self.copies, axis=2)
        return {"out": Words(repeated.reshape(-1, source.tokens * self.copies, source.features))}

    def cycles(self) -> Cycles:
        beats = self.outputs["out"].beats
        return Cycles(latency=beats + 1, interval=beats)

    def bill(self) -> Bill:
        return _bill(self.source.payload_bits, self.block_tokens * self.source.blocks, self.copies)

    def held(self, port: str) -> Fraction:
        """The stored block, and two beats in the output register."""
        return Fraction(self.block_tokens * self.source.blocks + 2, self.source.beats)


@dataclass(frozen=True)
class Spread(Operator):
    """Makes ``features`` equal features of the one feature of each token.

    Attributes:
        source: type of the input: one feature of an integer format.
        features, lanes: of the output.
    """

    source: StreamType
    features: int
    lanes: int

    module = "dse_repeat"

    def __post_init__(self) -> None:
        self.require(self.source.format.plain, "the input has an integer format")
        self.require(self.source.features == 1, f"the input has 1 feature, not {self.source.features}")
        self.require(self.features % self.lanes == 0, f"{self.lanes} lanes divide {self.features} features")

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.source}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.source.tokens, self.features, self.lanes, self.source.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Width": self.source.payload_bits,
            "Beats": 1,
            "Copies": self.features // self.lanes,
            "Spread": self.lanes,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return {"out": Words(np.repeat(inputs["in"].elements, self.features, axis=2))}

    def cycles(self) -> Cycles:
        beats = self.outputs["out"].beats
        return Cycles(latency=beats + 1, interval=beats)

    def bill(self) -> Bill:
        return _bill(self.source.payload_bits, 1, self.features // self.lanes)

    def held(self, port: str) -> Fraction:
        return Fraction(3, self.source.tokens)


def _bill(width: int, beats: int, copies: int) -> Bill:
    stored: tuple[Part, ...] = (Memory(beats, width, registered=False), Selectors(width)) if copies > 1 else ()
    return SpillRegister(width), *stored, *counters([beats, copies]), Handshake()
