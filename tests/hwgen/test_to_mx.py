from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.operators.to_mx import ToMx
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat, MxFormat, Rounding, round_shift

S16 = IntFormat(16, True)
MX4 = MxFormat(4, 16, 3)


def convert(operator: ToMx, values: np.ndarray, shift: int = 0) -> Words:
    return operator.reference({"in": Words(values)}, {"shift": np.array(shift)})["out"]


@pytest.mark.parametrize("rounding", Rounding)
def test_every_exponent_is_the_smallest_that_fits(rounding: Rounding) -> None:
    rng = np.random.default_rng(7)
    values = rng.integers(-(1 << 15), 1 << 15, (400, 1, 16)) >> rng.integers(0, 16, (400, 1, 1))
    # The borders of each exponent: what still fits, ties, and what no longer does.
    borders = np.concatenate(
        [np.array([7, 8, -8, -9]) << e for e in range(8)] + [(np.array([15, -17]) << e) >> 1 for e in range(9)]
    )
    values[: len(borders), 0] = 0
    values[: len(borders), 0, 5] = borders
    out = convert(ToMx(1, 16, 4, S16, MX4, 5, DEEPEST, rounding), values)
    for block, exponent in zip(values[:, 0], out.exponents[:, 0, 0, 0], strict=True):
        fits = [np.all(np.clip(m := round_shift(block, e, rounding), -8, 7) == m) for e in range(8)]
        assert exponent == (fits.index(True) if any(fits) else 7)


def test_values_are_within_half_a_step_of_their_block() -> None:
    rng = np.random.default_rng(8)
    values = rng.integers(-1000, 1001, (50, 2, 40))
    operator = ToMx(2, 40, 8, S16, MxFormat(5, 16, 4), 5, DEEPEST)
    out = convert(operator, values, 1)
    step = 2.0 ** (1 + np.repeat(out.exponents.reshape(50, 2, -1), 8, axis=2))
    assert (np.abs(out.elements * step - values) <= step / 2).all()


def test_the_largest_exponent_saturates() -> None:
    out = convert(ToMx(1, 8, 8, S16, MxFormat(3, 8, 1), 5, DEEPEST), np.full((1, 1, 8), 1000))
    assert (out.elements == 3).all() and (out.exponents == 1).all()


def test_lanes_that_straddle_a_block_are_refused() -> None:
    with pytest.raises(IllegalParameters, match="divide one another"):
        ToMx(1, 48, 24, S16, MX4, 5, DEEPEST)
