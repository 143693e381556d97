"""Rounding of right shifts, and what happens to a value outside its format."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]


class Rounding(IntEnum):
    """Rounding of a right shift. The values are the ``Rounding`` parameter of the RTL library."""

    FLOOR = 0
    HALF_UP = 1
    HALF_EVEN = 2


class Overflow(IntEnum):
    """What happens to a value outside the format. The values are the ``Overflow`` parameter of the RTL library."""

    WRAP = 0
    SATURATE = 1


def round_shift(values: IntArray, shift: IntArray | int, rounding: Rounding) -> IntArray:
    """``values * 2**-shift`` rounded to an integer, elementwise, in the integer type of ``values``.

    ``shift >= 0`` broadcasts against ``values`` and is below the type's width. Nothing overflows on the way.
    """
    kind = values.dtype if values.dtype == np.int32 else np.int64
    words: npt.NDArray[Any] = values.astype(kind, copy=False)
    shifts: npt.NDArray[Any] = np.asarray(shift).astype(kind)
    floor: npt.NDArray[Any] = words >> shifts
    if rounding is Rounding.FLOOR:
        return floor
    below = np.maximum(shifts - 1, 0)
    half_bit: npt.NDArray[Any] = (words >> below) & np.asarray(shifts > 0).astype(kind)
    if rounding is Rounding.HALF_EVEN:
        rest = words & ((np.asarray(1, dtype=kind) << below) - 1)
        half_bit &= (rest != 0) | (floor & 1 == 1)
    floor += half_bit
    return floor


def wrap(values: IntArray, bits: int, signed: bool) -> npt.NDArray[np.int32]:
    """The low ``bits`` of integers (any shape), read as two's complement or unsigned."""
    wrapped = values & ((1 << bits) - 1)
    if signed:
        wrapped = wrapped - ((wrapped >> (bits - 1)) << bits)
    return wrapped.astype(np.int32)
