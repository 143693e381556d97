"""Arrays of integers: packed into words, and computed with exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


SLICE_ELEMENTS = 1 << 16  # values that are packed at a time: their bits stay in a core's cache


def pack_bits(values: Array, bits: int) -> Array:
    """Pack the last axis into little-endian bytes, ``bits`` per value, value 0 lowest.

    Args:
        values: ``(..., count)`` integers; only the low ``bits`` are used.
        bits: bits per value, 1 to 63.

    Returns:
        ``(..., ceil(count * bits / 8))`` uint8.
    """
    rows = values.reshape(-1, values.shape[-1])
    packed = np.empty((len(rows), -(-values.shape[-1] * bits // 8)), dtype=np.uint8)
    for part in row_slices(rows):
        packed[part] = _pack_rows(rows[part], bits)
    return packed.reshape(*values.shape[:-1], -1)


def row_slices(rows: Array) -> Iterator[slice]:
    """The rows of ``(rows, count)`` a few at a time."""
    step = max(1, SLICE_ELEMENTS // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)


def bit_planes(values: Array, bits: int) -> Array:
    """The low ``bits`` of each value of ``(rows, count)``, lowest first: ``(rows, count * bits)`` uint8 of 0 and 1."""
    planes = np.unpackbits(_bytes(values, bits), axis=-1, count=bits, bitorder="little")
    return planes.reshape(len(values), -1)


def _pack_rows(rows: Array, bits: int) -> Array:
    if bits in (8, 16, 32):
        return _bytes(rows, bits).reshape(len(rows), -1)
    if bits in (1, 2, 4) and rows.shape[1] % (8 // bits) == 0:
        parts = (rows & ((1 << bits) - 1)).astype(np.uint8).reshape(len(rows), -1, 8 // bits)
        packed = parts[:, :, 0].copy()
        for place in range(1, 8 // bits):
            packed |= parts[:, :, place] << np.uint8(place * bits)
        return packed
    return np.packbits(bit_planes(rows, bits), axis=-1, bitorder="little")


def _bytes(values: Array, bits: int) -> Array:
    """Each value in the fewest bytes of a machine integer, little-endian: one more axis."""
    size = next(size for size in (1, 2, 4, 8) if bits <= 8 * size)
    return values.astype(f"<u{size}", order="C").view(np.uint8).reshape(*values.shape, size)


def exact_type(bits: int) -> type[np.number[Any]]:
    """The fastest type whose products and sums of two's-complement integers of ``bits`` (at most 63) are exact.

    Floating point is: matrix products of integers do not use BLAS. Integers below 2**24 are exact in float32, those
    below 2**53 in float64.
    """
    return np.float32 if bits <= 25 else np.float64 if bits <= 54 else np.int64
