"""Parts whose logic depends on the place that a counter is at: how the mapper decodes it decides what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.technology.fabric import Fabric
from hwgen.technology.parts import Part, bits
from hwgen.technology.terms import Terms


@dataclass(frozen=True)
class PlaceSelector(Part):
    """A choice of two words of ``width`` bits by the place that a counter is at; ``telling`` of its bits decide.

    Small tables decide anew for every bit: each of up to 4 bits of the count doubles that logic. From 5 bits on, a
    carry chain decides, which the logic of a bit cannot take in.
    """

    width: int
    telling: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        if fabric.lut_inputs == 4:
            decoded = 2.0 ** (self.telling - 1) if self.telling <= 4 else 3.0
            terms.add("selector, decoded in every bit", self.width * decoded)
        else:
            terms.add("selector", self.width / fabric.select_bits)


@dataclass(frozen=True)
class Unloading(Part):
    """A store of ``units`` units of ``unit`` bits that is loaded as a whole and leaves by one register in front."""

    units: int
    unit: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("unloaded unit", self.units * self.unit, self.units * self.unit)
        # Three words meet in the front: of the input, next, and next but one.
        terms.add("front of units", self.unit * 5.0 / fabric.lut_inputs, self.unit)


@dataclass(frozen=True)
class Loading(Part):
    """A store of ``units`` units of ``unit`` bits that are shifted in, and one more in a register of its own."""

    units: int
    unit: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("loaded unit", self.unit, (self.units + 1) * self.unit)


@dataclass(frozen=True)
class Regrouping(Part):
    """The store of a lane adapter: units enter ``first`` at a time and leave ``later`` at a time, both more than one.

    Attributes:
        first, later: units of an input and of an output beat.
        unit: bits of a unit.
    """

    first: int
    later: int
    unit: int

    @property
    def capacity(self) -> int:
        """Units that it holds."""
        return self.first + self.later + min(self.first, self.later) - 1

    def area(self, fabric: Fabric, terms: Terms) -> None:
        # From 5 bits on, the count comes out of a carry chain, which the logic of a bit cannot take in.
        flat = fabric.lut_inputs == 4 and bits(self.capacity + 1) <= 4
        held = self.capacity * self.unit
        terms.add("place, decoded in every bit" if flat else "place", held * (4.0 if flat else 1.0))
        # What leaves is taken off the count: without a carry, if it is a power of two.
        terms.add("place step", 3.0 * held if self.later & (self.later - 1) else 0.0)
        # Every unit of the input can come to as many places as the store has beyond them.
        terms.add("place from units", self.first * (self.capacity - self.first + 1) * self.unit / 2)
        terms.add("place decode", self.capacity)
        # Of the marks that end a sample, only those that can move to the end of an output beat are kept.
        terms.add("store", ff=held + self.capacity // self.later)
