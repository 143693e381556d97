from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.operators.rms_norm import RmsNorm
from hwgen.hardware.streams import Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize

EPSILON = 1e-5


def _real(x: Array, gamma: Array) -> Array:
    return gamma * x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON)


@pytest.mark.parametrize("features", [1, 4, 96, 1000, 4096])
@pytest.mark.parametrize("source", [IntFormat(8, True, 4), IntFormat(4, True, 1), IntFormat(16, True, 12)])
@pytest.mark.parametrize("spread", [0.2, 1.0])
@pytest.mark.parametrize("target", [IntFormat(4, True, 1), IntFormat(8, True, 4), IntFormat(16, True, 12)])
def test_error_against_the_real_function(features: int, source: IntFormat, spread: float, target: IntFormat) -> None:
    rng = np.random.default_rng(3)
    gamma = rng.normal(1.0, 0.3, features)
    operator, contents = RmsNorm.design(100, 1, gamma, EPSILON, source, Requantize(target))
    x = np.rint(rng.normal(0.3, spread, (1, 100, features)) / source.scale)
    words = np.clip(x, source.minimum, source.maximum).astype(np.int32)
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    exact = np.clip(_real(words * source.scale, gamma) / target.scale, target.minimum, target.maximum)
    assert np.abs(out - exact).max() <= 0.75


def test_zeros_give_zero() -> None:
    source, target = IntFormat(8, True, 3), IntFormat(8, True, 6)
    operator, contents = RmsNorm.design(2, 1, np.ones(3), EPSILON, source, Requantize(target))
    out = operator.reference({"in": Words(np.zeros((1, 2, 3), dtype=np.int32))}, contents)["out"].elements
    assert not out.any()


def test_epsilon_counts_where_words_are_small() -> None:
    """A row of units of the input, far below the root of epsilon, is not blown up to 1."""
    source, target = IntFormat(8, True, 12), IntFormat(8, True, 6)
    operator, contents = RmsNorm.design(1, 1, np.ones(4), 1e-4, source, Requantize(target))
    out = operator.reference({"in": Words(np.full((1, 1, 4), 3, dtype=np.int32))}, contents)["out"].elements
    x = 3 / 4096
    assert np.abs(out * target.scale - x / np.sqrt(x * x + 1e-4)).max() <= 0.75 * target.scale


@pytest.mark.parametrize("source", [IntFormat(16, True), IntFormat(16, False), IntFormat(3, True)])
def test_no_width_overflows_at_the_extremes(source: IntFormat) -> None:
    features, target = 64, IntFormat(16, True, 11)
    operator, contents = RmsNorm.design(3, 1, np.ones(features), EPSILON, source, Requantize(target))
    words = np.full((1, 3, features), source.minimum)
    words[0, 0, 0] = words[0, 1, : features // 2] = words[0, 2, 1:] = source.maximum
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    exact = _real(words * source.scale, np.ones(features))
    assert np.abs(out * target.scale - exact).max() <= 0.75 * target.scale
    assert operator.rtl_parameters()["HalfWidth"] <= 31


def test_squares_beyond_62_bits_are_refused() -> None:
    with pytest.raises(IllegalParameters, match="squares"):
        RmsNorm.design(1, 1, np.ones(4096), EPSILON, IntFormat(24, True), Requantize(IntFormat(8, True, 4)))
