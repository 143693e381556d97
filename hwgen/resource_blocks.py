"""Parts of the resource model: what one memory, multiplier, adder or requantisation costs on UltraScale+ under Yosys.

LUT figures are the count a part would have alone. The model scales them per operator with fitted coefficients near 1,
because mapping shares logic between neighbouring parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, log2

# Costs by which Yosys' memory_libmap chooses: a constant bit in logic, 8 LUTs of distributed RAM, block RAMs of 18 Kbit
# (depth, width) and of 36 Kbit. The widest shape of each needs one port for reading and one for writing.
ROM_BIT_COST = 1 / 64
LUT_RAM_COST = 16
BLOCK_18 = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
BLOCK_36 = ((32768, 1), (16384, 2), (8192, 4), (4096, 9), (2048, 18), (1024, 36), (512, 72))
COST_18, COST_36 = 129, 257

# Multipliers go to a DSP slice if both operands have 2 bits and the product has 9; a slice takes 27 by 18 bits.
DSP_MIN_OPERAND, DSP_MIN_PRODUCT = 2, 9
DSP_WIDE, DSP_NARROW = 27, 18
PRODUCT_TABLE = 8  # bits of both operands up to which dse_product is a table


@dataclass(frozen=True)
class Memory:
    """Where a memory goes: LUTs, flip-flops, block RAM in units of 18 Kbit."""

    lut: float = 0.0
    ff: float = 0.0
    bram18: float = 0.0


def bits(count: int) -> int:
    """Bits of a counter over ``count`` values, at least 1."""
    return max(1, (count - 1).bit_length())


@lru_cache(4096)
def rom(depth: int, width: int) -> Memory:
    """A constant memory with random content and a register at its output (in logic) or inside (block RAM)."""
    if depth <= 1 or width == 0:
        return Memory()
    cost, units = _block(depth, width)
    if depth * width * ROM_BIT_COST > cost:
        return Memory(bram18=units)
    # From 9 words on, the register holds its word through a multiplexer.
    return Memory(lut=rom_lut(depth, width) + width * (depth > 8), ff=distinct(depth, width))


def distinct(depth: int, width: int) -> float:
    """Different functions of the address, constants left out, among ``width`` random columns of ``depth`` bits.

    Columns that are equal share their logic and their register.
    """
    if depth <= 1:
        return 0.0
    functions = 2.0 ** min(depth, 40) - 2
    return functions * (1 - exp(-width / functions))


def rom_lut(depth: int, width: int) -> float:
    """A constant memory in logic: a bit of up to 64 words is one LUT; of more, one for every 64 and a multiplexer."""
    if depth <= 2:
        return 0.5 * distinct(depth, width)
    banks = ceil(depth / 64)
    return distinct(depth, width) * (banks + (banks - 1) / 7)


@lru_cache(4096)
def ram(depth: int, width: int) -> Memory:
    """A memory with one write port and one read port with a registered address."""
    if depth <= 1 or (depth * width <= 18 and depth <= 8):
        return Memory(lut=0.7 * depth * width, ff=depth * width)
    distributed_cost, memory = _distributed(depth, width)
    cost, units = _block(depth, width)
    return Memory(bram18=units) if distributed_cost >= cost else memory


@lru_cache(4096)
def async_ram(depth: int, width: int) -> Memory:
    """A memory that is read in the cycle of its address: never block RAM."""
    if depth <= 1 or (depth * width <= 18 and depth <= 8):
        return Memory(lut=0.7 * depth * width, ff=depth * width)
    return _distributed(depth, width)[1]


def _distributed(depth: int, width: int) -> tuple[float, Memory]:
    """Cheapest distributed memory: Yosys' cost (used bits, and half a LUT a multiplexed bit) and the LUTs it takes."""
    choices = []
    for words, per_unit in ((32, 14), (64, 7)):
        banks = ceil(depth / words)
        cost = LUT_RAM_COST * banks * width / per_unit + width * (banks - 1) / 2
        choices.append((cost, 8.0 * banks * ceil(width / per_unit) + width * (banks - 1) / 3 + banks * (banks > 1)))
    cost, lut = min(choices)
    return cost, Memory(lut=lut)


def _block(depth: int, width: int) -> tuple[int, int]:
    """Cheapest block RAMs for a memory: Yosys' cost and units of 18 Kbit."""
    choices = []
    for shapes, cost, units in ((BLOCK_18, COST_18, 1), (BLOCK_36, COST_36, 2)):
        for block_depth, block_width in shapes:
            count = ceil(depth / block_depth) * ceil(width / block_width)
            choices.append((cost * count, units * count))
    return min(choices)


def operand_bits(a: int, a_signed: bool, b: int, b_signed: bool) -> tuple[int, int]:
    """Bits of both operands of a product: unless both are unsigned, an unsigned one gets a sign bit."""
    if not a_signed and not b_signed:
        return a, b
    return signed_bits(a, a_signed), signed_bits(b, b_signed)


def signed_bits(width: int, signed: bool) -> int:
    """Bits of an operand in two's complement."""
    return width if signed else width + 1


def is_dsp(a: int, b: int, kept: int) -> bool:
    """Whether a product of ``a`` by ``b`` bits, of which ``kept`` are used, becomes DSP slices."""
    return min(a, b) >= DSP_MIN_OPERAND and min(a + b, kept) >= DSP_MIN_PRODUCT


def dsp_slices(a: int, b: int, kept: int = 64) -> int:
    """DSP slices of one product of ``a`` by ``b`` bits (two's complement), of which ``kept`` are used."""
    if not is_dsp(a, b, kept):
        return 0
    wide, narrow = max(a, b), min(a, b)
    # Parts of the operands whose product lies above what is kept are left out.
    return sum(
        i * (DSP_WIDE - 1) + j * (DSP_NARROW - 1) < kept
        for i in range(_parts(wide, DSP_WIDE))
        for j in range(_parts(narrow, DSP_NARROW))
    )


def _parts(size: int, limit: int) -> int:
    """Slices side by side for one operand: a part below the topmost one is unsigned, so it carries a bit less."""
    return 1 if size <= limit else 1 + ceil((size - limit) / (limit - 1))


def soft_multiplier(a: int, b: int, kept: int = 64) -> float:
    """LUTs of one ``a * b`` in logic; 0 if it goes to DSP slices."""
    if is_dsp(a, b, kept):
        return 0.0
    return float(a if min(a, b) == 1 else a * b)


def is_table(a: int, b: int) -> bool:
    """Whether ``dse_product`` of elements of ``a`` and ``b`` bits is a table of constants."""
    return min(a, b) > 1 and a + b <= PRODUCT_TABLE


def product_slices(a: int, a_signed: bool, b: int, b_signed: bool) -> int:
    """DSP slices of one ``dse_product``."""
    if min(a, b) == 1 or is_table(a, b):
        return 0
    return dsp_slices(*operand_bits(a, a_signed, b, b_signed))


def product_lut(a: int, b: int) -> float:
    """LUTs of one ``dse_product``: a gate, a table, or nothing beside the DSP slices."""
    if min(a, b) == 1:
        return float(max(a, b))
    return (a + b) * max(1.0, 2.0 ** (a + b - 6)) if is_table(a, b) else 0.0


def requantize(p: dict[str, int], width: int, shifts: int = 1) -> dict[str, float]:
    """LUTs of one requantisation of a ``width``-bit value by the parts of ``dse_requantize.svh``.

    ``shifts`` counts the words of shifts that take turns; one shift is a constant and costs nothing.
    """
    parts = {
        "clamp": float(p["OutWidth"]) if p["Overflow"] and width > p["OutWidth"] else 0.0,
        "range": float(max(0, width - p["OutWidth"])) if p["Overflow"] else 0.0,
        "even": float(width) if p["Rounding"] == 2 else 0.0,
    }
    if shifts > 1:
        # Few shifts differ in few bits. A LUT is a multiplexer of four inputs; the rounded bit's position is decoded.
        parts["shift"] = width * min(log2(max(2, width)), 1 + log2(shifts)) / 2
        parts["decode"] = float(width) if p["Rounding"] else 0.0
    return parts
