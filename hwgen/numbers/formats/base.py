"""What every number format is: an element code, exponent levels that a block of elements may share, and a scale.

An element decodes to an integer ``m``; with the exponent ``0 <= e < 2**exponent_bits`` of its block it stands for
``m * 2**(e - fraction_bits)``. Bounding the exponent makes every product and sum a bounded integer, so the
accumulator that never overflows is known exactly.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from hwgen.numbers.arrays import Array
from hwgen.numbers.formats.elements import Element
from hwgen.numbers.rounding import Rounding

_FAMILIES: dict[str, type[Format]] = {}


class Format(ABC):
    """A number format; subclasses are frozen dataclasses, found by the prefix of their plan texts.

    Attributes:
        prefixes: what plan texts of this class start with, ``int`` of ``int4``.
        example: one plan text, for messages.
        widths: bits of an element that a plan may ask for.
        kind: name of the class in ``signature.json``.
        fraction_bits: the scale is ``2**-fraction_bits``; may be negative.
        block: elements along the features that share one exponent, 0 without exponents.
        exponent_bits: of a shared exponent, 0 without.
    """

    prefixes: ClassVar[tuple[str, ...]]
    example: ClassVar[str]
    widths: ClassVar[range]
    kind: ClassVar[str]
    fraction_bits: int
    block: int
    exponent_bits: int

    def __init_subclass__(cls) -> None:
        for prefix in cls.prefixes:
            _FAMILIES[prefix] = cls

    @staticmethod
    def parse(text: str) -> Format:
        """Read what a quantization plan says of a tensor, such as ``int4``, ``uint8`` or ``mxint4b16``.

        The scale, and the sign of activations, follow from the tensor: see ``at`` and ``for_activations``.

        Raises:
            ValueError: for any other text, or a width outside the legal range.
        """
        prefix = text[: re.match(r"[a-z]*", text).end()]  # type: ignore[union-attr]
        if prefix not in _FAMILIES:
            raise ValueError(f"{text!r} is no number format; write {_examples()}")
        return _FAMILIES[prefix].from_plan(prefix, text[len(prefix) :])

    @staticmethod
    def family(prefix: str) -> type[Format]:
        """The class of the plan texts that start with ``prefix``; raises KeyError."""
        return _FAMILIES[prefix]

    @classmethod
    @abstractmethod
    def of_width(cls, bits: int, blocks: Iterable[int]) -> tuple[Format, ...]:
        """The formats with elements of ``bits``: one for each of ``blocks`` where blocks share exponents."""

    @classmethod
    @abstractmethod
    def from_plan(cls, prefix: str, rest: str) -> Format:
        """The format of the plan text ``prefix + rest``, at scale 1.

        Raises:
            ValueError: ``rest`` is not of this class, or a width is outside the legal range.
        """

    @property
    @abstractmethod
    def plan_text(self) -> str:
        """What ``parse`` reads as this format: everything but the scale."""

    @property
    @abstractmethod
    def text(self) -> str:
        """A short name that tells everything, with the scale."""

    @property
    @abstractmethod
    def element(self) -> Element:
        """How an element is written."""

    @abstractmethod
    def for_activations(self, non_negative: bool) -> Format:
        """The format that a tensor of activations takes where a plan says this one."""

    @abstractmethod
    def for_weights(self) -> Format:
        """The format that weights take where a plan says this one."""

    @abstractmethod
    def covering(self, largest: npt.NDArray[Any]) -> Array:
        """Most fraction bits with which positive magnitudes ``largest`` (any shape) are still representable."""

    @abstractmethod
    def encode(self, values: npt.NDArray[Any]) -> tuple[Array, Array | None]:
        """Real values to words, ties to even, saturating.

        Args:
            values: ``(..., features)`` in units of the scale.

        Returns:
            Elements ``(..., features)`` of ``element.storage``, and one exponent a block ``(..., blocks)``, None
            without exponents.
        """

    @abstractmethod
    def convert(self, values: Array, shift: int, rounding: Rounding) -> tuple[Array, Array | None]:
        """Integers ``values * 2**-shift`` to words, as ``encode`` does; how an operator makes this format."""

    def at(self, fraction_bits: int) -> Self:
        """The same format at another scale."""
        return replace(self, fraction_bits=fraction_bits)  # type: ignore[type-var]

    @property
    def plain(self) -> bool:
        """Elements are integers and share no exponents: what all but matrix products and movers of words take."""
        return self.block == 0 and self.element.code == 0

    @property
    def scale(self) -> float:
        """Value of one unit in the last place."""
        return 2.0**-self.fraction_bits

    @property
    def element_bits(self) -> int:
        """Bits of a stored element."""
        return self.element.bits

    @property
    def decoded_bits(self) -> int:
        """Bits of the integer that an element decodes to."""
        return self.element.decoded_bits

    @property
    def minimum(self) -> int:
        """Smallest integer that an element decodes to."""
        return self.element.minimum

    @property
    def maximum(self) -> int:
        """Largest integer that an element decodes to."""
        return self.element.maximum

    @property
    def max_exponent(self) -> int:
        """Largest exponent; 0 without exponents."""
        return (1 << self.exponent_bits) - 1

    @property
    def largest_magnitude(self) -> int:
        """Largest magnitude of a value, in units of the scale."""
        return max(self.maximum, -self.minimum) << self.max_exponent

    def exponents_in(self, lanes: int) -> int:
        """Exponents that travel with ``lanes`` elements of a beat."""
        return max(1, lanes // self.block) if self.block else 0

    def respects(self, lanes: int, features: int) -> bool:
        """Whether beats of ``lanes`` elements and the blocks of ``features`` never straddle one another."""
        return self.block == 0 or features <= self.block or self.block % lanes == 0 or lanes % self.block == 0

    def spread(self, exponents: Array, features: int) -> Array:
        """Exponents of blocks ``(..., blocks)`` for every element: ``(..., features)``."""
        spread: Array = np.repeat(exponents, self.block, axis=-1)[..., :features]
        return spread

    def integers(self, elements: Array, exponents: Array | None = None) -> Array:
        """The exact integers, in units of the scale, that words stand for; ``exponents`` broadcast to ``elements``."""
        decoded = self.element.decode(elements)
        if exponents is None:
            return decoded
        shifted: Array = np.left_shift(decoded.astype(np.int64), exponents)
        return shifted

    def rtl(self, prefix: str) -> Mapping[str, int]:
        """Parameters of an RTL operand that is decoded by ``dse_decode.svh``, named after it (``In``, ``Weight``)."""
        return {
            f"{prefix}Width": self.element_bits,
            f"{prefix}Signed": int(self.element.signed),
            f"{prefix}Code": self.element.code,
            f"{prefix}ExpWidth": self.exponent_bits,
        }

    def describe(self) -> dict[str, Any]:
        """The format as plain JSON types; an element ``m`` stands for ``m * 2**(exponent - fraction_bits)``."""
        shared = {"block": self.block, "exponent_bits": self.exponent_bits} if self.block else {}
        return {
            "kind": self.kind,
            "bits": self.element_bits,
            "fraction_bits": self.fraction_bits,
            "signed": self.element.signed,
            **shared,
        }


def _examples() -> str:
    examples = sorted({family.example for family in _FAMILIES.values()})
    return f"{', '.join(examples[:-1])} or {examples[-1]}"
