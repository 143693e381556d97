"""The parts of a bill of materials: registers, counters, adders, multiplexers and the like.

A part knows what it needs on a fabric; a new question (delay, energy) becomes a new abstract method, so that no part
can be forgotten. LUT figures are what a part would have alone; a technology weighs them, because mapping shares logic
between neighbours. Memories and products are in files of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, log2
from typing import TypeAlias

from hwgen.technology.fabric import Fabric
from hwgen.technology.terms import Terms


class Part(ABC):
    """One kind of logic with its dimensions; subclasses are frozen dataclasses."""

    @abstractmethod
    def area(self, fabric: Fabric, terms: Terms) -> None:
        """Add what the part needs on a fabric to ``terms``."""


Bill: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True)
class Registers(Part):
    """Flip-flops that hold ``bits``."""

    bits: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("registers", ff=self.bits)


@dataclass(frozen=True)
class DelayLine(Part):
    """A shift register with a reset, one bit wide."""

    length: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("delay line", 0.6 * self.length, self.length)


@dataclass(frozen=True)
class SpillRegister(Part):
    """The two-entry register of a stream of ``bits`` payload bits."""

    bits: float

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("spill register", self.bits + 2, 2 * (self.bits + 2))


@dataclass(frozen=True)
class Handshake(Part):
    """The valid and ready of an operator."""

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("handshake", 10.0, 5.0)


@dataclass(frozen=True)
class DoneFlags(Part):
    """Which of ``copies`` consumers have a beat; all flags fall when the last one takes it."""

    copies: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        # Every flag depends on all flags and on the ready of all.
        terms.add("done flags", self.copies * 2 * self.copies / (fabric.lut_inputs - 1), self.copies)


@dataclass(frozen=True)
class Counter(Part):
    """A counter over ``values`` values, with its comparison; nothing if there is one value."""

    values: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        if self.values > 1:
            width = bits(self.values)
            terms.add("counter", 1.5 * width, width)


@dataclass(frozen=True)
class PositionCounter(Part):
    """A counter of ``width`` bits that moves by a step, is set, and is compared with two bounds."""

    width: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("position", 3.0 * self.width, self.width)


@dataclass(frozen=True)
class Adders(Part):
    """``count`` adders of ``width`` bits.

    Attributes:
        count, width: how many, and their bits.
        fixed: what they add are products with constants, so that some of their bits are always 0.
    """

    count: float
    width: float
    fixed: bool = False

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("adder of fixed products" if self.fixed else "adder", self.count * self.width)


@dataclass(frozen=True)
class Accumulators(Part):
    """``count`` registers of ``width`` bits that add to themselves.

    Attributes:
        count, width: how many, and their bits.
        starts: whether a sum starts at a word of its own, selected by a multiplexer.
        registers: whether they have flip-flops (else a memory holds the sums).
    """

    count: float
    width: int
    starts: bool

    def area(self, fabric: Fabric, terms: Terms) -> None:
        total = self.count * self.width
        terms.add("accumulator", total, total)
        terms.add("accumulator start", total if self.starts else 0.0)


@dataclass(frozen=True)
class Comparators(Part):
    """``count`` comparisons of ``width`` bits."""

    count: int
    width: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("comparator", self.count * self.width / (fabric.lut_inputs // 2 - 1))


@dataclass(frozen=True)
class Maxima(Part):
    """``count`` times the larger of two words of ``width`` bits; a narrow comparison needs no carry chain.

    Attributes:
        count, width: how many, and their bits.
        shifted: whether a word comes out of a shifter, which the mapper repeats for the bits that compare it.
    """

    count: int
    width: int
    shifted: bool = False

    def area(self, fabric: Fabric, terms: Terms) -> None:
        if self.shifted:
            terms.add("maximum of shifted words", 6.0 * self.count * self.width / (fabric.lut_inputs // 2 - 1))
            return
        per_bit = 1.1 if self.width <= fabric.lut_inputs else 1.8
        terms.add("maximum", self.count * self.width * per_bit)


@dataclass(frozen=True)
class Differences(Part):
    """``count`` differences of words of ``width`` bits, rounded and limited."""

    count: int
    width: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("difference", 2.5 * self.count * self.width)


@dataclass(frozen=True)
class SerialDivision(Part):
    """A division without restoring that gives one bit of the quotient a cycle."""

    divisor_bits: int
    quotient_bits: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        total = 2.0 * self.divisor_bits + self.quotient_bits
        terms.add("division", total, total + bits(self.quotient_bits) + 3)


@dataclass(frozen=True)
class SerialRoot(Part):
    """A square root of ``root_bits`` and a division by it, each without restoring and one bit a cycle."""

    root_bits: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        held = 7.0 * self.root_bits + 2.0 * bits(self.root_bits + 1) + 9.0
        terms.add("root", 7.0 * self.root_bits + 8.0, held)


@dataclass(frozen=True)
class Selectors(Part):
    """Multiplexers of ``inputs`` words of ``width`` bits."""

    width: float
    inputs: int = 2

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("selector", self.width * ceil(log2(max(2, self.inputs))) / fabric.select_bits)


@dataclass(frozen=True)
class Shifters(Part):
    """``count`` variable shifts of words of ``width`` bits by a distance of ``distance_bits`` bits."""

    count: int
    width: int
    distance_bits: float

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("shifter", self.count * self.width * self.distance_bits / fabric.select_bits)


@dataclass(frozen=True)
class RoundingShifters(Part):
    """``count`` shifts to the right of words of ``width`` bits by up to ``largest``, rounded, to ``kept`` bits."""

    count: int
    width: int
    kept: int
    largest: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        # What rounds is decoded once for all.
        terms.add("round position", self.width)
        terms.add("adder", self.count * self.width)
        # The logic that rounds takes in the first two levels.
        levels = max(1, bits(self.largest + 1) - 2)
        terms.add("rounding shifter", 2.0 * self.count * self.width * levels / fabric.select_bits)


@dataclass(frozen=True)
class Requantizers(Part):
    """``count`` times: round, shift and clamp a word of ``width`` bits to ``kept`` bits.

    Attributes:
        count, width, kept: how many, bits before, bits after.
        saturating: clamp instead of wrapping.
        rounding, half_even: whether it rounds, and to even.
        shifts: words of shift amounts that take turns; one is a constant and costs nothing.
    """

    count: int
    width: int
    kept: int
    saturating: bool
    rounding: bool
    half_even: bool
    shifts: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        if self.saturating and self.width > self.kept:
            terms.add("clamp", self.count * self.kept)
            terms.add("range", self.count * (self.width - self.kept) / (fabric.lut_inputs - 1))
        if self.rounding:
            # A tie depends on all bits that are lost, half a unit only on those that are kept.
            terms.add("rounding", self.count * (self.width if self.half_even else min(self.width, self.kept + 2)))
        if self.shifts > 1:
            # Few shifts differ in few bits; the rounded bit's position is decoded.
            distance = min(log2(max(2, self.width)), 1 + log2(self.shifts))
            terms.add("shift", self.count * self.width * distance / fabric.select_bits)
            terms.add("round position", self.count * self.width if self.rounding else 0.0)


def bits(count: int) -> int:
    """Bits of a counter over ``count`` values, at least 1."""
    return max(1, (count - 1).bit_length())


def counters(values: Iterable[int]) -> tuple[Part, ...]:
    """A counter for each number of values."""
    return tuple(Counter(value) for value in values)
