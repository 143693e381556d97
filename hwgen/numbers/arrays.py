"""Arrays of integers: packed into words, and computed with exactly."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def pack_bits(values: Array, bits: int) -> Array:
    """Pack the last axis into little-endian bytes, ``bits`` per value, value 0 lowest.

    Args:
        values: ``(..., count)`` integers; only the low ``bits`` are used.
        bits: bits per value, 1 to 63.

    Returns:
        ``(..., ceil(count * bits / 8))`` uint8.
    """
    if bits == 8:
        return values.astype(np.uint8)
    planes = (values.astype(np.int64)[..., None] >> np.arange(bits)) & 1
    flat = planes.astype(np.uint8).reshape(*values.shape[:-1], -1)
    return np.packbits(flat, axis=-1, bitorder="little")


def exact_type(bits: int) -> type[np.number[Any]]:
    """The fastest type whose products and sums of two's-complement integers of ``bits`` (at most 63) are exact.

    Floating point is: matrix products of integers do not use BLAS. Integers below 2**24 are exact in float32, those
    below 2**53 in float64.
    """
    return np.float32 if bits <= 25 else np.float64 if bits <= 54 else np.int64
