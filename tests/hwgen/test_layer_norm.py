from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.operators.layer_norm import LayerNorm
from hwgen.hardware.streams import Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize

EPSILON = 1e-5


def _real(x: Array, gamma: Array, beta: Array) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    return gamma * centred / np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON) + beta


@pytest.mark.parametrize("features", [4, 96, 1000])
@pytest.mark.parametrize("source", [IntFormat(8, True, 4), IntFormat(4, True, 1), IntFormat(16, True, 12)])
@pytest.mark.parametrize("spread", [0.2, 1.0])
@pytest.mark.parametrize("target", [IntFormat(4, True, 1), IntFormat(8, True, 4), IntFormat(16, True, 12)])
def test_error_against_the_real_function(features: int, source: IntFormat, spread: float, target: IntFormat) -> None:
    rng = np.random.default_rng(3)
    gamma, beta = rng.normal(1.0, 0.3, features), rng.normal(0.0, 0.3, features)
    operator, contents = LayerNorm.design(100, 1, gamma, beta, EPSILON, source, Requantize(target))
    x = np.rint(rng.normal(0.3, spread, (1, 100, features)) / source.scale)
    words = np.clip(x, source.minimum, source.maximum).astype(np.int32)
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    exact = np.clip(_real(words * source.scale, gamma, beta) / target.scale, target.minimum, target.maximum)
    assert np.abs(out - exact).max() <= 0.75


def test_equal_elements_give_beta() -> None:
    source, target = IntFormat(8, True, 3), IntFormat(8, True, 6)
    beta = np.array([0.5, -1.0, 0.25])
    operator, contents = LayerNorm.design(2, 1, np.ones(3), beta, 0.0, source, Requantize(target))
    words = np.repeat(np.array([[[127], [-128]]], dtype=np.int32), 3, axis=2)
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    assert (out == np.rint(beta * 64)).all()


@pytest.mark.parametrize("source", [IntFormat(16, True), IntFormat(16, False), IntFormat(3, True)])
def test_no_width_overflows_at_the_extremes(source: IntFormat) -> None:
    features, target = 64, IntFormat(16, True, 11)
    operator, contents = LayerNorm.design(
        3, 1, np.ones(features), np.zeros(features), EPSILON, source, Requantize(target)
    )
    words = np.full((1, 3, features), source.minimum)
    words[0, 0, 0] = words[0, 1, : features // 2] = words[0, 2, 1:] = source.maximum
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    exact = _real(words * source.scale, np.ones(features), np.zeros(features))
    assert np.abs(out * target.scale - exact).max() <= 0.75 * target.scale
    assert operator.rtl_parameters()["HalfWidth"] <= 31


def test_a_variance_beyond_62_bits_is_refused() -> None:
    wide = IntFormat(24, True)
    with pytest.raises(IllegalParameters, match="variance"):
        LayerNorm.design(1, 1, np.ones(4096), np.zeros(4096), EPSILON, wide, Requantize(IntFormat(8, True, 4)))
