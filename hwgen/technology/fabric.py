"""What the logic of a family is made of, and the rules by which Yosys' mapper chooses between its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

# Width of a ``dse_product`` operand pair up to which the library makes it a table.
PRODUCT_TABLE = 8


@dataclass(frozen=True)
class DistributedRam:
    """One block of distributed memory with a write and a read port.

    Attributes:
        shapes: (words, bits) that it can be.
        cost: what the mapper charges for a block of which no bit is used.
        used_cost: what it charges besides for a block of which all bits are used, and for a part of them that part.
        luts: look-up tables that a block occupies.
    """

    shapes: tuple[tuple[int, int], ...]
    cost: int
    used_cost: int
    luts: int


@dataclass(frozen=True)
class BlockRam:
    """One block RAM with a write and a read port: its (words, bits), the mapper's cost, units of 18 Kbit.

    Attributes:
        collides: reading a word that is written is undefined, so the mapper keeps what was written beside the memory.
    """

    shapes: tuple[tuple[int, int], ...]
    cost: int
    units: int
    collides: bool


@dataclass(frozen=True)
class Multiplier:
    """One multiplier block.

    Attributes:
        wide, narrow: bits of its operands, two's complement.
        least_product: bits of a product that is worth a block; both operands have at least 2 bits.
        unsigned: whether the operands may be words without a sign, of the same bits.
        holds_result: whether the mapper moves the register behind a product into the block.
    """

    wide: int
    narrow: int
    least_product: int
    unsigned: bool
    holds_result: bool


@dataclass(frozen=True)
class Fabric:
    """The blocks of a family.

    Attributes:
        lut_inputs: inputs of a look-up table.
        distributed: its distributed memory.
        blocks: its block RAMs.
        rom_bit_cost: what the mapper charges for a constant bit in logic.
        multiplier: its multiplier block.
    """

    lut_inputs: int
    distributed: DistributedRam
    blocks: tuple[BlockRam, ...]
    rom_bit_cost: float
    multiplier: Multiplier

    @property
    def select_bits(self) -> float:
        """Address bits of a multiplexer that one look-up table does: 4 inputs for six inputs, 2 for four."""
        return 2.0 if self.lut_inputs >= 6 else 1.0

    def table_share(self, entries: float) -> float:
        """Look-up tables of one of many functions of the same ``entries`` combinations."""
        return max(1.0, entries / (1 << self.lut_inputs))

    def block_ram(self, depth: int, width: int) -> tuple[int, int]:
        """The cheapest block RAMs for a memory: the mapper's cost, and units of 18 Kbit."""
        return _block_ram(self.blocks, depth, width)

    def distributed_ram(self, depth: int, width: int) -> tuple[float, float]:
        """The cheapest distributed memory: the mapper's cost (half a LUT to join a bit of two banks), and LUTs."""
        return _distributed_ram(self.distributed, depth, width)

    def is_multiplier(self, a: int, b: int, kept: int) -> bool:
        """Whether a product of ``a`` by ``b`` bits, of which ``kept`` are used, becomes multiplier blocks."""
        return min(a, b) >= 2 and min(a + b, kept) >= self.multiplier.least_product

    def multipliers(self, a: int, b: int, kept: int) -> int:
        """Multiplier blocks of one product of ``a`` by ``b`` bits (two's complement), of which ``kept`` are used."""
        if not self.is_multiplier(a, b, kept):
            return 0
        wide, narrow = self.multiplier.wide, self.multiplier.narrow
        # Parts of the operands whose product lies above what is kept are left out.
        return sum(
            i * (wide - 1) + j * (narrow - 1) < kept
            for i in range(_parts(max(a, b), wide))
            for j in range(_parts(min(a, b), narrow))
        )


def _parts(size: int, limit: int) -> int:
    """Blocks side by side for one operand: a part below the topmost one is unsigned, so it carries a bit less."""
    return 1 if size <= limit else 1 + ceil((size - limit) / (limit - 1))


@lru_cache(4096)
def _block_ram(blocks: tuple[BlockRam, ...], depth: int, width: int) -> tuple[int, int]:
    choices = []
    for block in blocks:
        for words, bits in block.shapes:
            count = ceil(depth / words) * ceil(width / bits)
            choices.append((block.cost * count, block.units * count))
    return min(choices)


@lru_cache(4096)
def _distributed_ram(ram: DistributedRam, depth: int, width: int) -> tuple[float, float]:
    choices = []
    for words, bits in ram.shapes:
        banks, columns = ceil(depth / words), ceil(width / bits)
        joining = (width * (banks - 1) + banks) / 2 if banks > 1 else 0.0
        cost = banks * (ram.cost * columns + ram.used_cost * width / bits) + joining
        luts = ram.luts * banks * columns + width * (banks - 1) / 3 + (banks if banks > 1 else 0)
        choices.append((cost, float(luts)))
    return min(choices)
