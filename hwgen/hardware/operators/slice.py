"""Slice: keeps a range of the features or of the tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.parts import Bill, Handshake, SpillRegister, counters


@dataclass(frozen=True)
class Slice(Operator):
    """Keeps elements ``start`` to ``stop`` of every period and drops the others.

    Along the features a period is a token and the unit is a feature; along a grid axis there is one period per position
    of the axes before it, and the unit is a token.

    Attributes:
        source: type of the input; an integer format.
        periods: periods per sample; divides the tokens.
        start, stop: kept range in units of a period; whole beats.
        along_features: whether features are kept, else tokens.
    """

    source: StreamType
    periods: int
    start: int
    stop: int
    along_features: bool

    module = "dse_slice"

    def __post_init__(self) -> None:
        source = self.source
        self.require(source.format.plain, "the input has an integer format")
        self.require(source.tokens % self.periods == 0, "the periods divide the tokens")
        self.require(not self.along_features or source.tokens == self.periods, "along features a token is a period")
        units = source.features if self.along_features else source.tokens // self.periods
        self.require(0 <= self.start < self.stop <= units, f"the range lies in 0 to {units}")
        whole = not self.along_features or (self.start % source.lanes == 0 and self.stop % source.lanes == 0)
        self.require(whole, f"the range starts and stops at a multiple of {source.lanes} lanes")

    def _beats(self, units: int) -> int:
        return units // self.source.lanes if self.along_features else units * self.source.blocks

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.source}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        kept, source = self.stop - self.start, self.source
        features = kept if self.along_features else source.features
        tokens = source.tokens if self.along_features else self.periods * kept
        return {"out": StreamType(tokens, features, source.lanes, source.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Width": self.source.payload_bits,
            "Period": self.source.beats // self.periods,
            "First": self._beats(self.start),
            "Kept": self._beats(self.stop - self.start),
            "Periods": self.periods,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        elements, out = inputs["in"].elements, self.outputs["out"]
        unit = 1 if self.along_features else self.source.features
        periods = elements.reshape(elements.shape[0], self.periods, -1)
        kept = periods[:, :, self.start * unit : self.stop * unit]
        return {"out": Words(kept.reshape(-1, out.tokens, out.features))}

    def cycles(self) -> Cycles:
        period = self.source.beats // self.periods
        last_kept = (self.periods - 1) * period + self._beats(self.stop)
        return Cycles(latency=last_kept + 1, interval=self.source.beats)

    def bill(self) -> Bill:
        period = self.source.beats // self.periods
        return SpillRegister(self.source.payload_bits), *counters([period, self.periods]), Handshake()

    def held(self, port: str) -> Fraction:
        """A period, and two beats in the output register.

        Its own lag is what it drops before the first kept beat. A slice on the parallel path may send all it keeps of
        the period before that, so the buffer there needs the whole period.
        """
        return Fraction(1, self.periods) + Fraction(2, self.source.beats)
