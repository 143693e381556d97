"""OCP MXFP4: blocks of 32 E2M1 elements, the scale rule of OCP MX v1.0, and a window of its E8M0 exponents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hwgen.numbers.arrays import Array
from hwgen.numbers.formats.base import Format
from hwgen.numbers.formats.elements import Minifloat
from hwgen.numbers.rounding import Rounding, round_shift

ACTIVATION_EXPONENT_BITS = 3
WEIGHT_EXPONENT_BITS = 4
ELEMENT = Minifloat(2, 1)
TOP = int(ELEMENT.maximum).bit_length() - 1  # floor(log2) of the largest element, in units of the smallest


@dataclass(frozen=True)
class Mxfp4Format(Format):
    """The exponent of a block is ``floor(log2(largest)) - TOP``, clamped to the window; elements saturate.

    The stored exponent counts from the window's lowest level: the E8M0 byte is it plus ``128 - fraction_bits``.
    """

    exponent_bits: int = ACTIVATION_EXPONENT_BITS
    fraction_bits: int = 0

    prefixes = ("mxfp",)
    example = "mxfp4"
    widths = range(4, 5)
    kind = "mxfp"
    block: ClassVar[int] = 32  # type: ignore[misc]

    @classmethod
    def from_plan(cls, prefix: str, rest: str) -> Mxfp4Format:
        """``mxfp4``."""
        if rest != "4":
            raise ValueError(f"{prefix + rest!r} is no number format; write {cls.example}")
        return cls()

    @classmethod
    def of_width(cls, bits: int, blocks: Iterable[int]) -> tuple[Mxfp4Format, ...]:
        return (cls(),) if bits in cls.widths else ()

    @property
    def plan_text(self) -> str:
        """``mxfp4``."""
        return "mxfp4"

    @property
    def text(self) -> str:
        """``mxfp4e3f7`` style name: exponent bits, fraction bits."""
        return f"mxfp4e{self.exponent_bits}f{self.fraction_bits}"

    @property
    def element(self) -> Minifloat:
        """E2M1."""
        return ELEMENT

    def for_activations(self, non_negative: bool) -> Mxfp4Format:
        return replace(self, exponent_bits=ACTIVATION_EXPONENT_BITS)

    def for_weights(self) -> Mxfp4Format:
        return replace(self, exponent_bits=WEIGHT_EXPONENT_BITS)

    def covering(self, largest: npt.NDArray[Any]) -> Array:
        """The scale at which ``largest`` takes the largest exponent."""
        fraction: Array = self.max_exponent + TOP - (np.frexp(largest)[1].astype(np.int64) - 1)
        return fraction

    def encode(self, values: npt.NDArray[Any]) -> tuple[Array, Array]:
        starts = np.arange(0, values.shape[-1], self.block)
        exponents = self._exponents(np.maximum.reduceat(np.abs(values), starts, axis=-1))
        units = np.exp2(-exponents.astype(values.dtype))
        return self.element.nearest(values * self.spread(units, values.shape[-1])), exponents

    def convert(self, values: Array, shift: int, rounding: Rounding) -> tuple[Array, Array]:
        wide, mantissa = values.astype(np.int64), self.element.mantissa_bits
        magnitude = np.abs(wide)
        starts = np.arange(0, values.shape[-1], self.block)
        exponents = self._exponents(np.maximum.reduceat(magnitude, starts, axis=-1) * 2.0**-shift)
        unit = shift + self.spread(exponents, values.shape[-1]).astype(np.int64)
        step = np.maximum(np.frexp(magnitude.astype(np.float64))[1] - 1 - unit - mantissa, 0)
        # Neighbouring codes differ by one, across exponents too.
        codes = (step << mantissa) + round_shift(magnitude, unit + step, rounding)
        top = 1 << (self.element_bits - 1)
        return np.where(wide < 0, -top, 0).astype(np.int32) + np.minimum(codes, top - 1).astype(np.int32), exponents

    def _exponents(self, largest: npt.NDArray[Any]) -> Array:
        exponents: Array = np.clip(np.frexp(largest)[1] - 1 - TOP, 0, self.max_exponent).astype(np.int8)
        return exponents
