from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from hwgen.numbers.formats import Format, IntFormat, MxFormat, Rounding, carrier
from hwgen.numbers.formats.elements import Integer, Minifloat

PLAN_TEXTS = ("int1", "int4", "int16", "uint8", "mxint4b16", "mxint8b32")
MINIFLOATS = (
    (Minifloat(2, 1), ml_dtypes.float4_e2m1fn, 5),
    (Minifloat(2, 3), ml_dtypes.float6_e2m3fn, 7),
    (Minifloat(3, 2), ml_dtypes.float6_e3m2fn, 10),
    (Minifloat(4, 3, reserved=1), ml_dtypes.float8_e4m3fn, 19),
)


@pytest.mark.parametrize("text", PLAN_TEXTS)
def test_a_plan_text_is_read_and_written(text: str) -> None:
    assert Format.parse(text).plan_text == text


@pytest.mark.parametrize(
    "text", ["", "float8", "INT4", "int", "int0", "int17", "int4b16", "int4 ", "mxint4", "mxint9b16", "mxint4b64"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write int4, mxfp4 or|write mxint4b16|1 to 16 bits|2 to 8 bits|8 to 32"):
        Format.parse(text)


def test_a_plan_leaves_sign_and_exponents_to_the_tensor() -> None:
    assert Format.parse("int4").for_activations(non_negative=True) == IntFormat(4, False)
    assert Format.parse("uint4").for_activations(non_negative=False) == IntFormat(4, True)
    assert Format.parse("int4").for_weights().at(7) == IntFormat(4, True, 7)
    assert Format.parse("mxint4b16").for_activations(non_negative=True).at(5) == MxFormat(4, 16, 3, 5)
    assert Format.parse("mxint4b16").for_weights() == MxFormat(4, 16, 2)


@pytest.mark.parametrize("kind", [IntFormat(4, True, 2), IntFormat(8, False), MxFormat(4, 16, 3, 5), MxFormat(2, 8, 1)])
def test_the_carrier_holds_every_value(kind: Format) -> None:
    carried = carrier(kind)
    assert carried.plain
    assert carried.fraction_bits == kind.fraction_bits
    assert carried.minimum <= kind.minimum << kind.max_exponent
    assert carried.maximum >= kind.maximum << kind.max_exponent


@pytest.mark.parametrize(
    ("bits", "signed", "size"), [(1, True, 1), (8, True, 1), (8, False, 1), (9, True, 2), (17, True, 4)]
)
def test_storage_is_the_smallest_type(bits: int, signed: bool, size: int) -> None:
    element = Integer(bits, signed)
    assert element.storage.itemsize == size
    extremes = np.array([element.minimum, element.maximum])
    assert np.array_equal(element.nearest(extremes.astype(np.float64)), extremes)


@pytest.mark.parametrize("text", ["int4", "uint8", "mxint4b16", "mxint3b8"])
def test_encoding_integers_that_fit_is_exact(text: str) -> None:
    kind = Format.parse(text)
    least = -kind.maximum if kind.element.signed else 0
    words = np.random.default_rng(0).integers(least, kind.maximum + 1, (5, 40))
    for exponent in range(kind.max_exponent + 1):
        values = (words << exponent).astype(np.float32)
        elements, exponents = kind.encode(values)
        spread = None if exponents is None else kind.spread(exponents, 40)
        assert np.array_equal(kind.integers(elements, spread), values)


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("text", ["int4", "mxint4b16"])
def test_conversion_of_integers_is_within_a_unit_of_the_block(text: str, rounding: Rounding) -> None:
    kind = Format.parse(text)
    values = np.random.default_rng(1).integers(-60, 60, (3, 50))
    elements, exponents = kind.convert(values, 3, rounding)
    spread = np.zeros(values.shape, dtype=int) if exponents is None else kind.spread(exponents, 50)
    error = np.abs(kind.integers(elements, spread) * 8 - values)
    assert (error <= 8 << spread).all()


@pytest.mark.parametrize(("element", "dtype", "bits"), MINIFLOATS)
def test_minifloats_are_those_of_an_independent_library(element: Minifloat, dtype: type, bits: int) -> None:
    words = np.arange(1 << element.bits, dtype=np.uint8)
    reals = words.view(dtype).astype(np.float64)
    finite = np.isfinite(reals)
    unit = reals[1]
    assert element.decoded_bits == bits
    assert np.array_equal(element.decode(words)[finite] * unit, reals[finite])
    assert element.maximum * unit == reals[finite].max()

    generator = np.random.default_rng(2)
    values = generator.normal(0, element.maximum / 3, 4000)
    values = np.concatenate([values, np.arange(-element.maximum, element.maximum, max(0.25, element.maximum / 999))])
    values = np.clip(values, element.minimum, element.maximum).astype(np.float32)
    assert np.array_equal(element.nearest(values), (values * np.float32(unit)).astype(dtype).view(np.uint8))
    beyond = np.array([2.0 * element.maximum, -2.0 * element.maximum])
    assert np.array_equal(element.decode(element.nearest(beyond)), [element.maximum, element.minimum])
