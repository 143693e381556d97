"""Element codes: how one stored element becomes an integer.

Whatever the code, an element decodes to a bounded integer in front of the multiplier, and everything behind it is
exact integer arithmetic. ``rtl/dse_decode.svh`` is the same in hardware.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwgen.numbers.arrays import Array


class Element(ABC):
    """How one element is written in ``bits`` bits.

    Attributes:
        bits: of the stored word.
        signed: whether the integers that words stand for may be negative.
        code: the ``Code`` parameter of ``dse_decode.svh``.
    """

    bits: int
    signed: bool

    @property
    @abstractmethod
    def code(self) -> int: ...

    @property
    @abstractmethod
    def decoded_bits(self) -> int:
        """Bits of the integer that a word decodes to: two's complement where ``signed``, else unsigned."""

    @property
    @abstractmethod
    def minimum(self) -> int:
        """Smallest integer that a word stands for."""

    @property
    @abstractmethod
    def maximum(self) -> int:
        """Largest integer that a word stands for."""

    @property
    @abstractmethod
    def storage(self) -> np.dtype[Any]:
        """The smallest integer type that holds every word."""

    @abstractmethod
    def decode(self, words: Array) -> Array:
        """The integers that words (any shape) stand for."""

    @abstractmethod
    def nearest(self, values: npt.NDArray[Any]) -> Array:
        """The words of ``storage`` nearest to real ``values`` (any shape), ties to even, saturating."""


@dataclass(frozen=True)
class Integer(Element):
    """The word is the integer."""

    bits: int
    signed: bool

    code = 0

    @property
    def decoded_bits(self) -> int:
        return self.bits

    @property
    def minimum(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        return self.minimum + (1 << self.bits) - 1

    @property
    def storage(self) -> np.dtype[Any]:
        return np.min_scalar_type(self.minimum if self.signed else self.maximum)

    def decode(self, words: Array) -> Array:
        return words

    def nearest(self, values: npt.NDArray[Any]) -> Array:
        rounded = np.rint(values)
        words: Array = np.clip(rounded, self.minimum, self.maximum, out=rounded).astype(self.storage)
        return words


@dataclass(frozen=True)
class Minifloat(Element):
    """A sign, ``exponent_bits`` and ``mantissa_bits`` with subnormals: E2M1, E2M3, E3M2, E4M3.

    The integer counts the smallest subnormal, so E2M1 decodes to 5 bits, E4M3 to 19. Values beyond ``maximum``
    saturate; there are neither infinities nor NaN.

    Attributes:
        exponent_bits: at least 1; the bias does not matter, it belongs to the scale.
        mantissa_bits: at least 0.
        reserved: largest codes of each sign that are never written (E4M3 keeps one for NaN).
    """

    exponent_bits: int
    mantissa_bits: int
    reserved: int = 0

    signed = True

    @property
    def bits(self) -> int:  # type: ignore[override]
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def code(self) -> int:
        return self.exponent_bits

    @property
    def decoded_bits(self) -> int:
        return self.mantissa_bits + 1 + (1 << self.exponent_bits) - 2 + 1

    @property
    def minimum(self) -> int:
        return -self.maximum

    @property
    def maximum(self) -> int:
        return int(self.decode(np.array((1 << (self.bits - 1)) - 1 - self.reserved)))

    @property
    def storage(self) -> np.dtype[Any]:
        return np.min_scalar_type((1 << self.bits) - 1)

    def decode(self, words: Array) -> Array:
        wide = words.astype(np.int64)
        exponent = (wide >> self.mantissa_bits) & ((1 << self.exponent_bits) - 1)
        fraction = wide & ((1 << self.mantissa_bits) - 1)
        normal = (fraction | 1 << self.mantissa_bits) << np.maximum(exponent - 1, 0)
        magnitude = np.where(exponent > 0, normal, fraction)
        decoded: Array = np.where(wide >> (self.bits - 1) & 1, -magnitude, magnitude)
        return decoded

    def nearest(self, values: npt.NDArray[Any]) -> Array:
        magnitude = np.minimum(np.abs(values), self.maximum)
        # Steps between neighbours double with each exponent; the first two exponents share theirs.
        step = np.exp2(np.maximum(np.frexp(magnitude)[1] - 1 - self.mantissa_bits, 0))
        rounded = np.rint(magnitude / step) * step
        ladder = self.decode(np.arange(1 << (self.bits - 1)))
        words: Array = np.searchsorted(ladder, rounded) | np.signbit(values).astype(np.int64) << (self.bits - 1)
        return words.astype(self.storage)
