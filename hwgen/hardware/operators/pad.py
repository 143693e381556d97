"""Pad: puts a constant before and behind the features, or the tokens, of every period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.parts import Adders, Bill, Handshake, Selectors, SpillRegister, bits, counters
from hwgen.technology.places import PlaceSelector


@dataclass(frozen=True)
class Pad(Operator):
    """Puts ``before`` and ``after`` units of a constant around the elements of every period.

    Along the features a period is a token and the unit is a feature; along a grid axis there is one period per position
    of the axes before it, and the unit is a token. Contents: ``value`` ``()``, a word of the input's format.

    Attributes:
        source: type of the input; an integer format.
        periods: periods per sample; divides the tokens.
        before, after: units put in; whole beats.
        along_features: whether features are put in, else tokens.
    """

    source: StreamType
    periods: int
    before: int
    after: int
    along_features: bool

    module = "dse_pad"

    def __post_init__(self) -> None:
        source = self.source
        self.require(source.format.plain, "the input has an integer format")
        self.require(source.tokens % self.periods == 0, "the periods divide the tokens")
        self.require(not self.along_features or source.tokens == self.periods, "along features a token is a period")
        self.require(min(self.before, self.after) >= 0, "only units of 0 and more can be put in")
        whole = not self.along_features or (self.before % source.lanes == 0 and self.after % source.lanes == 0)
        self.require(whole, f"features are put in by a multiple of {source.lanes} lanes")

    def _beats(self, units: int) -> int:
        return units // self.source.lanes if self.along_features else units * self.source.blocks

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.source}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        source, added = self.source, self.before + self.after
        features = source.features + (added if self.along_features else 0)
        tokens = source.tokens + (0 if self.along_features else self.periods * added)
        return {"out": StreamType(tokens, features, source.lanes, source.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Lanes": self.source.lanes,
            "ElementWidth": self.source.element_bits,
            "Before": self._beats(self.before),
            "Body": self.source.beats // self.periods,
            "After": self._beats(self.after),
            "Periods": self.periods,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        elements, out = inputs["in"].elements, self.outputs["out"]
        unit = 1 if self.along_features else self.source.features
        periods = elements.reshape(elements.shape[0], self.periods, -1)
        around = ((0, 0), (0, 0), (self.before * unit, self.after * unit))
        padded = np.pad(periods, around, constant_values=int(contents["value"]))
        return {"out": Words(padded.reshape(-1, out.tokens, out.features))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        return {"value": MemoryImage(contents["value"].reshape(1, 1), self.source.element_bits)}

    def cycles(self) -> Cycles:
        """The first input beat is taken behind the beats that are put before it."""
        beats = self.outputs["out"].beats
        return Cycles(latency=beats - self._beats(self.before) + 1, interval=beats)

    def bill(self) -> Bill:
        p, width, period = self.rtl_parameters(), self.source.payload_bits, self.outputs["out"].beats // self.periods
        # Low bits of the count that both ends of the body have as zeros do not tell whether a beat is in it.
        ends = p["Before"] | p["Body"]
        telling = bits(period + 1) - ((ends & -ends).bit_length() - 1)
        padded = PlaceSelector(width, telling) if self.before + self.after else Selectors(width)
        compared = Adders(2, telling if telling > 1 else 0)  # the count with both ends of the body
        return SpillRegister(width), padded, compared, *counters([period, self.periods]), Handshake()

    def held(self, port: str) -> Fraction:
        """A period, and two beats in the output register.

        It has taken a whole period before it has sent what is put behind that: no more than this part of a sample lies
        between what it has taken and what it has sent.
        """
        return Fraction(1, self.periods) + Fraction(2, self.source.beats)
