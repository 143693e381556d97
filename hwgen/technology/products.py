"""Parts that multiply."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.technology.fabric import PRODUCT_TABLE, Fabric
from hwgen.technology.parts import Part
from hwgen.technology.terms import Terms

WHOLE = 64  # bits of a product that is kept as a whole


@dataclass(frozen=True)
class Factor:
    """An operand: its bits, and whether it is two's complement."""

    bits: int
    signed: bool


@dataclass(frozen=True)
class ElementProducts(Part):
    """``dse_product`` of each of ``shared`` elements ``a`` with ``each`` elements ``b``: gate, table or multiplier.

    Attributes:
        shared, each: how many elements ``a``, and how many ``b`` meet each of them.
        a, b: the operands.
        words: how many words the elements ``b`` take in turn: 1 if they never change, None if they are data.
    """

    shared: int
    each: int
    a: Factor
    b: Factor
    words: int | None = None

    def area(self, fabric: Fabric, terms: Terms) -> None:
        a, b, count = self.a.bits, self.b.bits, self.shared * self.each
        if min(a, b) == 1:
            self._gates(terms)
        elif a + b > PRODUCT_TABLE:
            wide_a, wide_b = self._widths()
            terms.dsp += count * fabric.multipliers(wide_a, wide_b, WHOLE)
        elif self.words == 1:
            terms.add("fixed product", count * (a + b) * fabric.table_share(2.0**a) / 2)
        else:
            # Columns of few words are few different functions, so that the bits of b hang together.
            independent = b if self.words is None else min(b, self.words - 1)
            terms.add("product table", count * (a + b) * fabric.table_share(2.0 ** (a + independent)))

    def _gates(self, terms: Terms) -> None:
        a, b = self.a.bits, self.b.bits
        if self.words != 1:
            terms.add("product gate", self.shared * self.each * max(a, b) / 2)
        if (self.b if b == 1 else self.a).signed:
            # The negation of the other element serves all products with it.
            terms.add("negation", self.shared * a if b == 1 else self.shared * self.each * b)

    def _widths(self) -> tuple[int, int]:
        """Operand bits: unless both are unsigned, an unsigned one gets a sign bit."""
        if not self.a.signed and not self.b.signed:
            return self.a.bits, self.b.bits
        return self.a.bits + (not self.a.signed), self.b.bits + (not self.b.signed)


@dataclass(frozen=True)
class Multipliers(Part):
    """``count`` products of ``a`` by ``b`` bits, two's complement.

    Attributes:
        count, a, b: how many, bits of the operands.
        kept: low bits that are used.
        registered: bits of a register before or behind each product, which a block may hold; 0 if there is none.
        unsigned: whether the sign of both operands is a constant 0.
    """

    count: int
    a: int
    b: int
    kept: int = WHOLE
    registered: int = 0
    unsigned: bool = False

    def area(self, fabric: Fabric, terms: Terms) -> None:
        in_block = fabric.is_multiplier(self.a, self.b, self.kept)
        if not (in_block and fabric.multiplier.holds_result):
            terms.add("registers", ff=self.count * self.registered)
        if in_block:
            sign = self.unsigned and fabric.multiplier.unsigned
            blocks = fabric.multipliers(self.a - sign, self.b - sign, self.kept)
            terms.dsp += self.count * blocks
            # The parts of a product that takes several blocks are added outside of them.
            terms.add("adder", self.count * (blocks - 1) * min(self.a + self.b, self.kept))
        else:
            terms.add("multiplier", self.count * (self.a if min(self.a, self.b) == 1 else self.a * self.b))
