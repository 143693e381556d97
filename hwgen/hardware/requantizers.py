"""What a requantisation is made of, for the bills of the operators that end in one."""

from __future__ import annotations

from hwgen.numbers.formats import Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from hwgen.technology.parts import Requantizers


def requantizers(result: Requantize, count: int, width: int, shifts: int) -> Requantizers:
    """The part that requantizes ``count`` words of ``width`` bits with ``shifts`` shift amounts in turn."""
    saturating, half_even = result.overflow is Overflow.SATURATE, result.rounding is Rounding.HALF_EVEN
    rounding = result.rounding is not Rounding.FLOOR
    return Requantizers(count, width, result.target.bits, saturating, rounding, half_even, shifts)
