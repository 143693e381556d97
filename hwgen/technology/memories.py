"""Parts that store: memories of constants, and memories with a write port."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from hwgen.technology.fabric import Fabric
from hwgen.technology.parts import Part, bits
from hwgen.technology.terms import Terms


@dataclass(frozen=True)
class Constants(Part):
    """``depth`` random words of ``width`` bits with a register at the output."""

    depth: int
    width: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        if self.depth <= 1 or self.width == 0:
            return
        cost, units = fabric.block_ram(self.depth, self.width)
        if self.depth * self.width * fabric.rom_bit_cost > cost:
            terms.bram += units
            return
        terms.add("constants", rom_luts(fabric, self.depth, self.width), distinct(self.depth, self.width))
        # From 9 words on, the register holds its word through a multiplexer.
        terms.add("constants held", self.width if self.depth > 8 else 0.0)


@dataclass(frozen=True)
class ConstantLogic(Part):
    """``depth`` random words of ``width`` bits without a register."""

    depth: int
    width: int

    def area(self, fabric: Fabric, terms: Terms) -> None:
        terms.add("constants", rom_luts(fabric, self.depth, self.width))


@dataclass(frozen=True)
class Memory(Part):
    """A memory with one write port and one read port.

    Attributes:
        depth, width: words, bits of a word.
        registered: whether the address or the word of a read is registered, as block RAM needs it.
        transparent: whether it is the address, so that the word read is the one that is written meanwhile.
        apart: whether no read meets a write to its address, and the mapper is told so (``no_rw_check``).
    """

    depth: int
    width: int
    registered: bool = True
    transparent: bool = True
    apart: bool = False

    def area(self, fabric: Fabric, terms: Terms) -> None:
        if self.width == 0:
            return
        if self._in_registers(fabric):
            terms.add("register file", 0.7 * self.depth * self.width, self.depth * self.width)
        elif self.in_blocks(fabric):
            terms.bram += fabric.block_ram(self.depth, self.width)[1]
            if self._kept_beside(fabric):
                terms.add("collision", self.width, self.width + bits(self.depth))
        else:
            terms.add("distributed memory", fabric.distributed_ram(self.depth, self.width)[1])

    def in_blocks(self, fabric: Fabric) -> bool:
        """Whether it becomes block RAM."""
        return self.registered and not self._in_registers(fabric) and self._block_cost(fabric) <= self._cost(fabric)

    def _in_registers(self, fabric: Fabric) -> bool:
        """Whether it becomes flip-flops: the mapper charges 1 for each."""
        cost = min(self._cost(fabric), self._block_cost(fabric)) if self.registered else self._cost(fabric)
        return self.depth <= 1 or self.depth * self.width <= cost

    def _cost(self, fabric: Fabric) -> float:
        """The mapper's cost of distributed memory, with 2 for the register and 6 for what is written meanwhile."""
        emulated = (8 if self.transparent and not self.apart else 2) if self.registered else 0
        return fabric.distributed_ram(self.depth, self.width)[0] + emulated

    def _block_cost(self, fabric: Fabric) -> float:
        return fabric.block_ram(self.depth, self.width)[0] + (8 if self._kept_beside(fabric) else 0)

    def _kept_beside(self, fabric: Fabric) -> bool:
        """Whether a block RAM needs a copy of what is written beside it, for a read of the same word."""
        return not self.apart and (self.transparent or any(block.collides for block in fabric.blocks))


@dataclass(frozen=True)
class WordRegister(Part):
    """The register behind ``memory``: a block RAM has its own, unless what collides goes round it."""

    memory: Memory

    def area(self, fabric: Fabric, terms: Terms) -> None:
        goes_round = not self.memory.apart and any(block.collides for block in fabric.blocks)
        if not self.memory.in_blocks(fabric) or goes_round:
            terms.add("registers", ff=self.memory.width)


def distinct(depth: int, width: int) -> float:
    """Different functions of the address, constants left out, among ``width`` random columns of ``depth`` bits.

    Columns that are equal share their logic and their register.
    """
    if depth <= 1:
        return 0.0
    functions = 2.0 ** min(depth, 40) - 2
    return functions * (1 - exp(-width / functions))


def rom_luts(fabric: Fabric, depth: int, width: int) -> float:
    """Look-up tables of a constant memory in logic."""
    if depth <= 2:
        return 0.5 * distinct(depth, width)
    whole, rest = divmod(depth, 1 << fabric.lut_inputs)
    # The words that are left over are few, so that columns have tables in common.
    tables = whole * width + distinct(rest, width)
    return tables + width * max(0, whole + (rest > 0) - 1) / 7  # wide multiplexers join them
