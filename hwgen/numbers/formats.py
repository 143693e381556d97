"""Number formats: integers with a power-of-two scale, and shared-exponent integer blocks (MXINT).

Every stored value is an integer. An ``IntFormat`` word ``q`` stands for ``q * 2**-fraction_bits``. An ``MxFormat``
block of ``block`` consecutive elements stands for ``m[i] * 2**(e - fraction_bits)`` with one exponent
``0 <= e < 2**exponent_bits`` for the block. Bounding the exponent makes every product and sum a bounded
integer, so the accumulator width that never overflows is known exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True)
class IntFormat:
    """A two's-complement or unsigned integer of 1 to 48 bits with a power-of-two scale.

    Tensors of a design use 1 to 16 bits; wider formats appear inside operators (accumulators, biases).
    ``fraction_bits`` may be negative.
    """

    bits: int
    signed: bool
    fraction_bits: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 48:
            raise ValueError(f"an integer format has 1 to 48 bits, not {self.bits}")

    @property
    def minimum(self) -> int:
        """Smallest word."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """Largest word."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def scale(self) -> float:
        """Value of one unit in the last place."""
        return 2.0**-self.fraction_bits

    @property
    def text(self) -> str:
        """``s8f4`` style name: sign, bits, fraction bits."""
        return f"{'s' if self.signed else 'u'}{self.bits}f{self.fraction_bits}"


@dataclass(frozen=True)
class MxFormat:
    """A shared-exponent block format: signed mantissas, one unsigned exponent per block of the feature axis."""

    mantissa_bits: int
    block: int
    exponent_bits: int = 3
    fraction_bits: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.mantissa_bits <= 8:
            raise ValueError(f"an MXINT mantissa has 2 to 8 bits, not {self.mantissa_bits}")
        if not 8 <= self.block <= 32:
            raise ValueError(f"an MXINT block has 8 to 32 elements, not {self.block}")
        if not 1 <= self.exponent_bits <= 4:
            raise ValueError(f"an MXINT exponent has 1 to 4 bits, not {self.exponent_bits}")

    @property
    def max_exponent(self) -> int:
        """Largest exponent word."""
        return (1 << self.exponent_bits) - 1

    @property
    def minimum(self) -> int:
        """Smallest mantissa."""
        return -(1 << (self.mantissa_bits - 1))

    @property
    def maximum(self) -> int:
        """Largest mantissa."""
        return (1 << (self.mantissa_bits - 1)) - 1

    @property
    def text(self) -> str:
        """``mx4b16e3f7`` style name: mantissa bits, block, exponent bits, fraction bits."""
        return f"mx{self.mantissa_bits}b{self.block}e{self.exponent_bits}f{self.fraction_bits}"


Format: TypeAlias = IntFormat | MxFormat


@dataclass(frozen=True)
class FormatChoice:
    """What a quantization plan says of one tensor: kind and width, before calibration chooses the scale."""

    kind: str  # "int", "uint" or "mxint"
    bits: int
    block: int = 0

    @staticmethod
    def parse(text: str) -> FormatChoice:
        """Read ``int4``, ``uint8`` or ``mxint4b16``.

        Raises:
            ValueError: for any other text, or a width outside the legal range.
        """
        match = re.fullmatch(r"(u?int)(\d{1,2})|(mxint)(\d)b(\d{1,2})", text)
        if match is None:
            raise ValueError(f"{text!r} is no number format; write int4, uint8 or mxint4b16")
        if match[1]:
            choice = FormatChoice(match[1], int(match[2]))
            if not 1 <= choice.bits <= 16:
                raise ValueError(f"{text!r}: integer widths are 1 to 16 bits")
            return choice
        choice = FormatChoice("mxint", int(match[4]), int(match[5]))
        MxFormat(choice.bits, choice.block)
        return choice

    def __str__(self) -> str:
        return f"{self.kind}{self.bits}" + (f"b{self.block}" if self.kind == "mxint" else "")


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


def fit(values: IntArray, target: IntFormat, overflow: Overflow = Overflow.SATURATE) -> npt.NDArray[np.int32]:
    """Saturate or wrap integer ``values`` into the words of ``target`` (any shape)."""
    if overflow is Overflow.SATURATE:
        return np.clip(values, target.minimum, target.maximum).astype(np.int32)
    wrapped = values & ((1 << target.bits) - 1)
    if target.signed:
        wrapped = wrapped - ((wrapped >> (target.bits - 1)) << target.bits)
    return wrapped.astype(np.int32)


def quantize(values: FloatArray, target: IntFormat) -> npt.NDArray[np.int32]:
    """Real values (any shape) to the nearest words of ``target``, ties to even, saturating."""
    scaled = np.rint(np.asarray(values, dtype=np.float64) * 2.0**target.fraction_bits)
    return np.clip(scaled, target.minimum, target.maximum).astype(np.int32)


def dequantize(words: IntArray, source: IntFormat) -> npt.NDArray[np.float64]:
    """Words of ``source`` (any shape) to the real values that they stand for."""
    return words.astype(np.float64) * source.scale
