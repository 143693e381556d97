from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.operators.softmax import Softmax
from hwgen.hardware.streams import Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, Overflow
from hwgen.numbers.rescale import Requantize


def _real(x: Array, kept: Array) -> Array:
    """Softmax over the last axis of the kept elements."""
    e = np.where(kept, np.exp(x - x.max(axis=-1, keepdims=True)), 0.0)
    return e / e.sum(axis=-1, keepdims=True)


def _gaussian(source: IntFormat, shape: tuple[int, ...]) -> Array:
    values = np.random.default_rng(2).normal(0.0, 2.0, shape)
    return np.clip(np.rint(values / source.scale), source.minimum, source.maximum).astype(np.int32)


@pytest.mark.parametrize("size", [4, 64, 1000])
@pytest.mark.parametrize("source", [IntFormat(8, True, 4), IntFormat(4, True, 1), IntFormat(12, True, 8)])
@pytest.mark.parametrize(("bits", "units"), [(4, 0.75), (8, 0.75), (16, 1.5)])
def test_error_against_the_real_function(size: int, source: IntFormat, bits: int, units: float) -> None:
    target = IntFormat(bits, False, bits)
    operator, contents = Softmax.design((200, 1, size), 1, False, source, Requantize(target))
    words = _gaussian(source, (1, 200, size))
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    exact = _real(words * source.scale, np.ones(size, dtype=bool))
    assert np.abs(out - np.minimum(exact / target.scale, target.maximum)).max() <= units


def test_causal_rows_ignore_later_elements() -> None:
    source, target = IntFormat(8, True, 4), IntFormat(8, False, 8)
    operator, contents = Softmax.design((6, 2, 6), 2, True, source, Requantize(target))
    words = _gaussian(source, (3, 6, 12))
    out = operator.reference({"in": Words(words)}, contents)["out"].elements.reshape(3, 6, 2, 6)
    kept = np.tri(6, dtype=bool)[:, None, :]
    exact = _real(words.reshape(3, 6, 2, 6) * source.scale, kept)
    assert (out[np.broadcast_to(~kept, out.shape)] == 0).all()
    assert np.abs(out - np.minimum(exact / target.scale, target.maximum)).max() <= 0.75


def test_a_scale_is_folded_into_the_table() -> None:
    source, target = IntFormat(8, True, 2), IntFormat(8, False, 8)
    operator, contents = Softmax.design((50, 1, 16), 1, False, source, Requantize(target), scale=0.3)
    words = _gaussian(source, (1, 50, 16))
    out = operator.reference({"in": Words(words)}, contents)["out"].elements
    exact = _real(0.3 * words * source.scale, np.ones(16, dtype=bool))
    assert np.abs(out - np.minimum(exact / target.scale, target.maximum)).max() <= 0.75


def test_one_saturates_even_if_the_plan_wraps() -> None:
    target = IntFormat(8, False, 8)
    operator, contents = Softmax.design(
        (1, 1, 1), 1, False, IntFormat(8, True, 4), Requantize(target, overflow=Overflow.WRAP)
    )
    assert operator.reference({"in": Words(np.zeros((1, 1, 1), np.int32))}, contents)["out"].elements.item() == 255
