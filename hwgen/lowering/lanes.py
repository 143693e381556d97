"""Lanes: how many elements per cycle a node takes and gives, and which numbers are legal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Lanes:
    """Elements per cycle that a node takes and gives."""

    in_lanes: int
    out_lanes: int


@dataclass(frozen=True)
class LaneChoice:
    """Legal lanes of one node.

    Attributes:
        in_lanes, out_lanes: legal values, ascending; 1 is always among them.
        tied: both sides have the same lanes.
    """

    in_lanes: tuple[int, ...]
    out_lanes: tuple[int, ...]
    tied: bool


def divisors(number: int) -> tuple[int, ...]:
    """All divisors, ascending."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return tuple(sorted({*small, *(number // d for d in small)}))


def tied(features: int) -> LaneChoice:
    """The divisors of ``features``, the same on both sides."""
    return LaneChoice(divisors(features), divisors(features), True)


def whole_blocks(features: int, reduction: int, mx_blocks: Sequence[int]) -> tuple[int, ...]:
    """Divisors of ``features`` with which a beat never straddles two shared-exponent blocks.

    Args:
        features: divided by the lanes.
        reduction: summed elements; a block as long as all of them has no boundary.
        mx_blocks: block lengths in the space.
    """
    return tuple(
        lanes
        for lanes in divisors(features)
        if all(b % lanes == 0 or lanes % b == 0 or reduction <= b for b in mx_blocks)
    )
