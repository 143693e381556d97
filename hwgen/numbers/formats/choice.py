"""``FormatChoice``: a plan's text as lowering still takes it; ``Format.parse`` reads it."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.numbers.formats.base import Format


@dataclass(frozen=True)
class FormatChoice:
    """What a quantization plan says of one tensor: kind and width, before calibration chooses the scale."""

    kind: str  # "int", "uint" or "mxint"
    bits: int
    block: int = 0

    @staticmethod
    def parse(text: str) -> FormatChoice:
        """Read ``int4``, ``uint8`` or ``mxint4b16``; raises ValueError as ``Format.parse`` does."""
        read = Format.parse(text)
        return FormatChoice(text[: text.index(str(read.element_bits))], read.element_bits, read.block)

    @property
    def format(self) -> Format:
        """The format at scale 1."""
        return Format.parse(str(self))

    def __str__(self) -> str:
        return f"{self.kind}{self.bits}" + (f"b{self.block}" if self.block else "")
