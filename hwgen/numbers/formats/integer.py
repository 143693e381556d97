"""Integers with a power-of-two scale."""

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
from hwgen.numbers.rounding import FloatArray, IntArray, Rounding, round_shift


@dataclass(frozen=True)
class IntFormat(Format):
    """A two's-complement or unsigned integer of 1 to 48 bits with a power-of-two scale.

    Tensors of a design use 1 to 16 bits; wider formats appear inside operators (accumulators, biases).
    """

    bits: int
    signed: bool
    fraction_bits: int = 0

    prefixes = ("int", "uint")
    example = "int4"
    widths = range(1, 17)
    kind = "int"
    block = 0
    exponent_bits = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 48:
            raise ValueError(f"an integer format has 1 to 48 bits, not {self.bits}")

    @classmethod
    def from_plan(cls, prefix: str, rest: str) -> IntFormat:
        """``int4``, ``uint8``: 1 to 16 bits."""
        if not re.fullmatch(r"\d{1,2}", rest) or int(rest) not in cls.widths:
            raise ValueError(f"{prefix + rest!r}: integer widths are 1 to 16 bits")
        return cls(int(rest), prefix == "int")

    @classmethod
    def of_width(cls, bits: int, blocks: Iterable[int]) -> tuple[IntFormat, ...]:
        """Signed; a plan leaves the sign of activations to the tensor."""
        return (cls(bits, True),) if bits in cls.widths else ()

    @property
    def plan_text(self) -> str:
        """``int8``, ``uint8``."""
        return f"{'' if self.signed else 'u'}int{self.bits}"

    @property
    def text(self) -> str:
        """``s8f4`` style name: sign, bits, fraction bits."""
        return f"{'s' if self.signed else 'u'}{self.bits}f{self.fraction_bits}"

    @property
    def element(self) -> Integer:
        """The integer itself."""
        return Integer(self.bits, self.signed)

    def for_activations(self, non_negative: bool) -> IntFormat:
        """Unsigned where the tensor is never negative."""
        return replace(self, signed=not non_negative)

    def for_weights(self) -> IntFormat:
        """The format itself."""
        return self

    def covering(self, largest: npt.NDArray[Any]) -> Array:
        """Most fraction bits with which ``largest`` rounds to a word; a signed single bit counts as if it had 1."""
        top = self.maximum or 1
        return np.floor(np.log2((top + 0.5) / largest)).astype(np.int64)

    def encode(self, values: npt.NDArray[Any]) -> tuple[Array, None]:
        """The nearest words."""
        return self.element.nearest(values), None

    def convert(self, values: Array, shift: int, rounding: Rounding) -> tuple[Array, None]:
        """Shifted, rounded, saturated."""
        rounded = round_shift(values.astype(np.int64), shift, rounding)
        return np.clip(rounded, self.minimum, self.maximum).astype(np.int32), None


def carrier(kind: Format) -> IntFormat:
    """The integers that carry a tensor of a format between operators: they hold every value of it."""
    return IntFormat(kind.decoded_bits + kind.max_exponent, kind.element.signed, kind.fraction_bits)


def quantize(values: FloatArray, target: IntFormat) -> npt.NDArray[np.int32]:
    """Real values (any shape) to the nearest words of ``target``, ties to even, saturating."""
    scaled = np.rint(np.asarray(values, dtype=np.float64) * 2.0**target.fraction_bits)
    return np.clip(scaled, target.minimum, target.maximum).astype(np.int32)


def dequantize(words: IntArray, source: IntFormat) -> npt.NDArray[np.float64]:
    """Words of ``source`` (any shape) to the real values that they stand for."""
    return words.astype(np.float64) * source.scale
