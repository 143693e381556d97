"""Width of the requantisation shifts that operators load at run time."""

from __future__ import annotations

import numpy as np

from hwgen.numbers.arrays import Array


def shift_bits(shift: Array) -> int:
    """Width of a shift amount; at least 4, so that designs that differ little share compiled operators."""
    return max(4, int(np.max(shift)).bit_length())
