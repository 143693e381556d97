"""Lane adapter: changes the number of lanes of a stream."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.parts import Bill, Counter, Handshake, SpillRegister
from hwgen.technology.places import Loading, Regrouping, Unloading


@dataclass(frozen=True)
class Adapter(Operator):
    """The same elements in the same order, ``out_lanes`` per beat; neither lane count has to divide the other.

    Attributes:
        source: type of the input; an integer format.
        out_lanes: lanes of the output, a divisor of the features.
    """

    source: StreamType
    out_lanes: int

    module = "dse_adapter"
    uses = ("dse_spill_register",)

    def __post_init__(self) -> None:
        self.require(self.source.format.plain, "shared exponents cannot change their lanes")
        self.require(
            self.source.features % self.out_lanes == 0, f"{self.out_lanes} lanes divide {self.source.features}"
        )

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": self.source}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.source.tokens, self.source.features, self.out_lanes, self.source.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        unit = math.gcd(self.source.lanes, self.out_lanes)
        return {
            "InUnits": self.source.lanes // unit,
            "OutUnits": self.out_lanes // unit,
            "UnitWidth": unit * self.source.element_bits,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        return {"out": inputs["in"]}

    def cycles(self) -> Cycles:
        beats = max(self.source.beats, self.outputs["out"].beats)
        return Cycles(latency=beats + 1, interval=beats)

    def bill(self) -> Bill:
        p = self.rtl_parameters()
        first, later, unit = p["InUnits"], p["OutUnits"], p["UnitWidth"]
        if first == later:
            return (SpillRegister(unit),)
        if later == 1:
            return Unloading(first, unit), Counter(first + 1), Handshake()
        if first == 1:
            return Loading(later, unit), Counter(later + 1), Handshake()
        store = Regrouping(first, later, unit)
        return store, Counter(store.capacity + 1), Handshake()

    def held(self, port: str) -> Fraction:
        unit = math.gcd(self.source.lanes, self.out_lanes)
        capacity = self.source.lanes + self.out_lanes + min(self.source.lanes, self.out_lanes) - unit
        return Fraction(capacity, self.source.tokens * self.source.features)
