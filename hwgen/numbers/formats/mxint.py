"""Blocks of integers that share a small exponent: block floating point (not the MXINT8 of OCP, see docs/formats.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.numbers.arrays import Array
from hwgen.numbers.formats.base import Format
from hwgen.numbers.formats.elements import Integer
from hwgen.numbers.rounding import Rounding, round_shift

ACTIVATION_EXPONENT_BITS = 3
WEIGHT_EXPONENT_BITS = 2  # a block may be up to eight times finer than the tensor's largest block
TINY = 2.0**-60  # stands for the largest element of a block of zeros


@dataclass(frozen=True)
class MxFormat(Format):
    """A shared-exponent block format: signed mantissas, one unsigned exponent per block of the feature axis.

    A block takes the smallest exponent with which its rounded mantissas fit, else the largest; then they saturate.
    """

    mantissa_bits: int
    block: int
    exponent_bits: int = ACTIVATION_EXPONENT_BITS
    fraction_bits: int = 0

    prefixes = ("mxint",)
    example = "mxint4b16"
    widths = range(2, 9)
    kind = "mxint"

    def __post_init__(self) -> None:
        if self.mantissa_bits not in self.widths:
            raise ValueError(f"an MXINT mantissa has 2 to 8 bits, not {self.mantissa_bits}")
        if not 8 <= self.block <= 32:
            raise ValueError(f"an MXINT block has 8 to 32 elements, not {self.block}")
        if not 1 <= self.exponent_bits <= 4:
            raise ValueError(f"an MXINT exponent has 1 to 4 bits, not {self.exponent_bits}")

    @classmethod
    def from_plan(cls, prefix: str, rest: str) -> MxFormat:
        """``mxint4b16``: mantissa bits and block."""
        match = re.fullmatch(r"(\d)b(\d{1,2})", rest)
        if match is None:
            raise ValueError(f"{prefix + rest!r} is no number format; write {cls.example}")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of_width(cls, bits: int, blocks: Iterable[int]) -> tuple[MxFormat, ...]:
        return tuple(cls(bits, block) for block in blocks) if bits in cls.widths else ()

    @property
    def plan_text(self) -> str:
        """``mxint4b16``; the exponent's width is not a plan's choice."""
        return f"mxint{self.mantissa_bits}b{self.block}"

    @property
    def text(self) -> str:
        """``mx4b16e3f7`` style name: mantissa bits, block, exponent bits, fraction bits."""
        return f"mx{self.mantissa_bits}b{self.block}e{self.exponent_bits}f{self.fraction_bits}"

    @property
    def element(self) -> Integer:
        """A two's-complement mantissa."""
        return Integer(self.mantissa_bits, True)

    def for_activations(self, non_negative: bool) -> MxFormat:
        """Mantissas are signed, whatever the tensor holds."""
        return replace(self, exponent_bits=ACTIVATION_EXPONENT_BITS)

    def for_weights(self) -> MxFormat:
        """Two exponent bits."""
        return replace(self, exponent_bits=WEIGHT_EXPONENT_BITS)

    def covering(self, largest: npt.NDArray[Any]) -> Array:
        """Most fraction bits with which ``largest`` fits with the largest exponent."""
        return np.floor(np.log2((self.maximum + 0.5) * 2.0**self.max_exponent / largest)).astype(np.int64)

    def encode(self, values: npt.NDArray[Any]) -> tuple[Array, Array]:
        """Mantissas, and the exponent of each block: magnitudes decide, whatever their sign."""
        starts = np.arange(0, values.shape[-1], self.block)
        largest = np.maximum.reduceat(np.abs(values), starts, axis=-1).astype(np.float64)
        needed = np.ceil(np.log2(np.maximum(largest, TINY) / (self.maximum + 0.5)))
        exponents = np.clip(needed, 0, self.max_exponent).astype(np.int8)
        units = np.exp2(-exponents.astype(values.dtype))
        return self.element.nearest(values * self.spread(units, values.shape[-1])), exponents

    def convert(self, values: Array, shift: int, rounding: Rounding) -> tuple[Array, Array]:
        """Mantissas, and the exponent of each block: the extremes decide, because rounding is monotone."""
        wide = values.astype(np.int64)
        starts = np.arange(0, values.shape[-1], self.block)
        low, high = np.minimum.reduceat(wide, starts, axis=-1), np.maximum.reduceat(wide, starts, axis=-1)
        exponents = np.full(low.shape, self.max_exponent)
        for exponent in reversed(range(self.max_exponent)):
            fits = round_shift(low, shift + exponent, rounding) >= self.minimum
            fits &= round_shift(high, shift + exponent, rounding) <= self.maximum
            exponents[fits] = exponent
        mantissas = round_shift(wide, shift + self.spread(exponents, values.shape[-1]), rounding)
        return np.clip(mantissas, self.minimum, self.maximum).astype(np.int32), exponents
