"""What a design occupies of a device."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Resources:
    """FPGA resources, in the units of a technology.

    Attributes:
        lut: look-up tables, of as many inputs as the technology's have.
        ff: flip-flops.
        dsp: multiplier blocks.
        bram: block RAM in units of 18 Kbit.
    """

    lut: float = 0.0
    ff: float = 0.0
    dsp: float = 0.0
    bram: float = 0.0

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))
