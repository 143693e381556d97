"""Weights by slices of channels are the weights as one array, in a small part of the memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from hwgen.lowering import weights
from hwgen.lowering.weights import quantize_weights
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import FormatChoice

FORMATS = ("int1", "int2", "int4", "int8", "int12", "uint4", "mxint4b16", "mxint2b8")


def integer_scale(rows: Array, bits: int, signed: bool) -> int:
    """Fraction bits of least squared error over all of ``rows``, for one scale."""
    low = -(1 << (bits - 1)) if signed else 0
    high = low + (1 << bits) - 1
    covering = int(np.floor(np.log2(((high or 1) + 0.5) / np.abs(rows).max())))
    errors = [
        np.square(np.clip(np.rint(rows * 2.0**f), low, high) / 2.0**f - rows).sum()
        for f in range(covering, covering + (1 if bits > 8 else 4))
    ]
    return covering + int(np.argmin(errors))


def tensor(seed: int) -> Array:
    generator = np.random.default_rng(seed)
    made = generator.standard_t(3, (11, 3, 7)) * 2.0 ** generator.integers(-4, 5, (11, 1, 1))
    return (np.rint(made * 8) / 8 if seed % 2 else made).astype(np.float32)


@pytest.mark.parametrize("slice_elements", [1, 50, 1 << 16])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("text", FORMATS)
def test_words_are_those_of_the_whole_array(
    text: str, seed: int, slice_elements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "SLICE_ELEMENTS", slice_elements)
    choice, weight = FormatChoice.parse(text), tensor(seed)
    rows = weight.reshape(11, -1).astype(np.float64)
    made = quantize_weights(weight, None, choice, 4, per_channel=True)
    kind = made.format
    if kind.block == 0:
        expected = [integer_scale(row, choice.bits, choice.kind == "int") for row in rows]
        assert made.fraction_bits.tolist() == [min(f, min(expected) + 12) for f in expected]
    scaled = rows * 2.0 ** made.fraction_bits[:, None]
    elements, exponents = kind.encode(scaled)
    assert np.array_equal(made.weight.reshape(11, -1), elements)
    assert made.weight.dtype == (np.uint8 if text == "uint4" else np.int16 if text == "int12" else np.int8)
    if exponents is not None:
        assert made.exponent is not None
        assert np.array_equal(made.exponent.reshape(11, -1), kind.spread(exponents, 21))
        # No block could have a smaller exponent, and none saturates but at the largest.
        stands_for = made.exponent.reshape(11, -1)
        assert (np.abs(scaled) <= (kind.maximum + 0.5) * 2.0**stands_for).all()


@pytest.mark.parametrize("text", FORMATS)
def test_one_scale_for_the_tensor(text: str) -> None:
    choice, weight = FormatChoice.parse(text), tensor(2)
    made = quantize_weights(weight, None, choice, 4, per_channel=False)
    assert len(set(made.fraction_bits.tolist())) == 1
    if made.format.block == 0:
        assert made.fraction_bits[0] == integer_scale(weight.astype(np.float64), choice.bits, choice.kind == "int")


@pytest.mark.parametrize("text", ["int4", "mxint4b16"])
def test_a_channel_of_zeros_takes_the_finest_scale(text: str) -> None:
    weight = tensor(3)
    weight[4] = 0
    made = quantize_weights(weight, None, FormatChoice.parse(text), 4, per_channel=True)
    assert made.fraction_bits[4] == max(np.delete(made.fraction_bits, 4))
    assert not made.weight[4].any()


@pytest.mark.parametrize("text", ["int4", "int8", "mxint4b16"])
def test_peak_memory_is_that_of_the_words(text: str) -> None:
    weight = np.random.default_rng(0).standard_normal((1000, 2000), dtype=np.float32)
    tracemalloc.start()
    try:
        quantize_weights(weight, None, FormatChoice.parse(text), 4, per_channel=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * weight.size
