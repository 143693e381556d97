"""Registers within an operator's arithmetic, as ``rtl/dse_stages.svh``: how many there are and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

DEEPEST = 99  # more than any operator has levels: a register behind each


def registers(stages: int, levels: int) -> int:
    """Registers of an operator with ``levels`` levels of which ``stages`` were asked for."""
    return min(stages, levels)


def registers_until(level: int, count: int, levels: int) -> int:
    """How many of ``count`` registers, spread evenly, stand behind the levels 1 to ``level`` of ``levels``."""
    return level * count // levels


def places(count: int, interval: int, base: int = 4, burst: int = 1) -> int:
    """Places of the output buffer behind ``count`` registers, for ``burst`` results every ``interval`` cycles.

    A place is taken when its result is issued. It is free again ``count`` + ``base`` cycles later; of a product, words,
    accumulator, buffer and output register take one each. As many results as are issued meanwhile have one.
    """
    whole, rest = divmod(count + base, interval)
    return max(2, whole * burst + min(rest, burst))


def pipeline_bits(level_bits: Sequence[int], count: int) -> int:
    """Flip-flops of ``count`` registers behind the levels of an arithmetic, from the bits that leave each level."""
    levels = len(level_bits)
    return sum(
        width
        for level, width in enumerate(level_bits, 1)
        if registers_until(level, count, levels) > registers_until(level - 1, count, levels)
    )


def tree_words(count: int) -> tuple[int, ...]:
    """Words that leave each level of a tree over ``count`` words."""
    return tuple(ceil(count / (1 << level)) for level in range(1, (count - 1).bit_length() + 1))
