from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch
from torchao.prototype.mx_formats.mx_tensor import ScaleCalculationMode, to_mx

from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.operators.to_mx import ToMx
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.formats import Format, IntFormat, Mxfp4Format, Rounding
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from tests.hwgen.conformance.case import Case, block_exponents, random_integers, random_words
from tests.hwgen.conformance.runner import simulate_case
from tests.hwgen.test_synthesis_text import simulate_as_synthesised


def test_words_are_those_of_ocp_mx() -> None:
    kind, generator = Format.parse("mxfp4").for_weights(), np.random.default_rng(0)
    values = (generator.standard_t(3, (200, 64)) * 2.0 ** generator.integers(-3, 3, (200, 1))).astype(np.float32)
    fraction = int(kind.covering(np.abs(values).max()))
    elements, exponents = kind.encode(values * np.float32(2.0**fraction))
    assert exponents is not None
    blocks = values.reshape(200, 2, 32)
    scale = 2.0 ** (np.floor(np.log2(np.abs(blocks).max(axis=-1, keepdims=True))) - 2)
    codes = np.clip(blocks / scale, -6, 6).astype(ml_dtypes.float4_e2m1fn)
    assert np.array_equal(elements.reshape(blocks.shape), codes.view(np.uint8))
    assert np.array_equal(2.0 ** (exponents - fraction + 1.0), scale[..., 0])  # one unit is half of E2M1's 1.0


def _drawn(distribution: str, generator: np.random.Generator) -> np.ndarray:
    """Blocks of 32 values, of several magnitudes, zeros and exact halves among them."""
    shape = (4000, 64)
    values = {
        "normal": lambda: generator.normal(size=shape),
        "student": lambda: np.clip(generator.standard_t(3, shape), -50, 50),
        "halves": lambda: generator.integers(-24, 25, shape) / 4,
        "sparse": lambda: generator.normal(size=shape) * (generator.random(shape) < 0.1),
    }[distribution]()
    scaled = values * 2.0 ** generator.integers(-2, 3, (shape[0], 1))
    scaled[:, 0] += (scaled == 0).all(axis=1)  # a scale of nothing is a matter of its own
    return scaled.astype(np.float32)


@pytest.mark.parametrize("distribution", ["normal", "student", "halves", "sparse"])
def test_elements_and_scales_are_those_of_torchao(distribution: str) -> None:
    values = _drawn(distribution, np.random.default_rng(4))
    kind = Format.parse("mxfp4").for_weights()
    fraction = int(kind.covering(np.abs(values).max()))
    elements, exponents = kind.encode(values * np.float32(2.0**fraction))
    scales, packed = to_mx(torch.from_numpy(values), torch.float4_e2m1fn_x2, 32, ScaleCalculationMode.FLOOR)
    bytes_ = packed.view(torch.uint8).numpy()
    codes = np.stack([bytes_ & 15, bytes_ >> 4], axis=-1).reshape(values.shape)
    # Below the window the scale is the window's lowest, so the elements are finer than theirs: compared apart.
    theirs = scales.view(torch.uint8).numpy().astype(int) - (128 - fraction)
    inside = theirs >= 0
    assert exponents is not None and inside.mean() > 0.4
    assert np.array_equal(exponents[inside], theirs[inside]) and not exponents[~inside].any()
    spread = np.repeat(inside, 32, axis=1)
    nonzero = codes & 7 != 0  # a negative number that rounds to zero keeps its sign there
    assert np.array_equal(elements[spread & nonzero], codes[spread & nonzero])
    assert not (elements[spread & ~nonzero] & 7).any()


@pytest.mark.parametrize(
    ("shape", "source", "target", "rounding"),
    [
        ((3, 64, 2), IntFormat(16, True), Mxfp4Format(3), Rounding.HALF_UP),
        ((2, 64, 64), IntFormat(12, True), Mxfp4Format(4), Rounding.HALF_EVEN),
        ((4, 20, 4), IntFormat(8, False), Mxfp4Format(2), Rounding.FLOOR),
    ],
)
def test_conversion(
    shape: tuple[int, int, int], source: IntFormat, target: Mxfp4Format, rounding: Rounding, build_cache: BuildCache
) -> None:
    generator = np.random.default_rng(1)
    for shift in (0, 3):
        operator = ToMx(*shape, source, target, 5, DEEPEST, rounding)
        case = Case(operator, {"shift": np.array(shift)}, {"in": random_words(generator, operator.inputs["in"])})
        assert simulate_case(case, build_cache, "random").exact
    assert simulate_as_synthesised(case, build_cache).exact


def test_product(build_cache: BuildCache) -> None:
    generator, kind, weight = np.random.default_rng(2), Mxfp4Format(3), Mxfp4Format(4)
    bound = 64 * kind.largest_magnitude * weight.largest_magnitude
    acc_bits, result = accumulator_bits(-bound, bound) + 1, Requantize(IntFormat(16, True))
    operator = Matvec(2, 1, 64, 6, 8, 3, kind, weight, acc_bits, result, 6, True, DEEPEST)
    contents = {
        "weight": random_integers(generator, IntFormat(4, True), (1, 6, 64)),
        "weight_exponent": block_exponents(generator, weight, (1, 6, 64)),
        "bias": generator.integers(-300, 300, (1, 6)),
        "shift": np.array(acc_bits - 18),
    }
    case = Case(operator, contents, {"in": random_words(generator, operator.inputs["in"])})
    assert simulate_case(case, build_cache, "random").exact
