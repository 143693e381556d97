"""The requantisation step shared by arithmetic operators: round, clamp, and the parameters that the RTL needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, Overflow, Rounding, fit, round_shift
from hwgen.technology.parts import Requantizers


@dataclass(frozen=True)
class Requantize:
    """``fit(round(value * 2**-shift))`` into ``target``; an activation function may narrow the clamp.

    Attributes:
        target: format of the result.
        rounding: rounding of the shift.
        overflow: saturate (to the clamp) or wrap.
        low, high: clamp in words of ``target``; None means the format's own limit. ReLU is ``low = 0``.
    """

    target: IntFormat
    rounding: Rounding = Rounding.HALF_UP
    overflow: Overflow = Overflow.SATURATE
    low: int | None = None
    high: int | None = None

    @property
    def clamp(self) -> tuple[int, int]:
        """Effective clamp in words of the target; one that lies outside the format is its nearest word."""
        least, most = self.target.minimum, self.target.maximum
        low = least if self.low is None else min(max(self.low, least), most)
        high = most if self.high is None else max(min(self.high, most), least)
        return low, high

    def apply(self, values: Array, shift: Array | int) -> Array:
        """Requantise integers of any shape; ``shift`` broadcasts. Returns int32 words of ``target``."""
        rounded = round_shift(values, shift, self.rounding)
        if self.overflow is Overflow.SATURATE:
            return np.clip(rounded, *self.clamp).astype(np.int32)
        return fit(rounded, self.target, self.overflow)

    def requantizers(self, count: int, width: int, shifts: int) -> Requantizers:
        """The part that does it to ``count`` words of ``width`` bits with ``shifts`` shift amounts in turn."""
        saturating, half_even = self.overflow is Overflow.SATURATE, self.rounding is Rounding.HALF_EVEN
        rounding = self.rounding is not Rounding.FLOOR
        return Requantizers(count, width, self.target.bits, saturating, rounding, half_even, shifts)

    def rtl_parameters(self) -> Mapping[str, int]:
        """Parameters of ``dse_requantize.svh`` that describe the result."""
        low, high = self.clamp
        return {
            "OutWidth": self.target.bits,
            "Rounding": int(self.rounding),
            "Overflow": int(self.overflow),
            "ClampLow": low,
            "ClampHigh": high,
        }
