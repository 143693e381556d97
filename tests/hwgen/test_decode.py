"""Elements that are no integers decode in front of the multiplier: reference, simulated and synthesised text agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.operators.reduce import MaxPool
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat, MxFormat
from hwgen.numbers.formats.elements import Minifloat
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from tests.hwgen.conformance.case import SAMPLES, Case, block_exponents
from tests.hwgen.conformance.runner import simulate_case
from tests.hwgen.test_synthesis_text import simulate_as_synthesised

E2M1, E2M3, E3M2, E4M3 = Minifloat(2, 1), Minifloat(2, 3), Minifloat(3, 2), Minifloat(4, 3)
PRODUCTS = (  # element code, whether inputs and weights are written in it
    pytest.param(E2M1, True, True, id="E2M1"),
    pytest.param(E2M3, True, False, id="E2M3 input"),
    pytest.param(E3M2, False, True, id="E3M2 weight"),
    pytest.param(E4M3, True, True, id="E4M3"),
)


@dataclass(frozen=True)
class MinifloatBlocks(MxFormat):
    """Blocks of 16 minifloats: a format needs no more than another element code."""

    exponents: int = 2
    mantissas: int = 1

    prefixes = ()

    @property
    def element(self) -> Minifloat:  # type: ignore[override]
        return Minifloat(self.exponents, self.mantissas)


def blocks(element: Minifloat) -> MinifloatBlocks:
    return MinifloatBlocks(8, 16, 1, 0, element.exponent_bits, element.mantissa_bits)


def matvec(element: Minifloat, as_input: bool, as_weight: bool) -> Case:
    """Every word of the element code meets others; operands that are no minifloats are 6-bit integers."""
    generator = np.random.default_rng(element.bits)
    plain, coded = IntFormat(6, True), blocks(element)
    source, weight = coded if as_input else plain, coded if as_weight else plain
    bound = 32 * source.largest_magnitude * weight.largest_magnitude
    result, acc_bits = Requantize(IntFormat(24, True)), max(24, accumulator_bits(-bound, bound) + 1)
    operator = Matvec(2, 1, 32, 6, 16, 3, source, weight, acc_bits, result, 6, True, DEEPEST)
    contents = {
        "weight": words(generator, weight, (1, 6, 32)),
        "bias": generator.integers(-300, 300, (1, 6)),
        "shift": np.array(max(0, acc_bits - 26)),
    }
    if as_weight:
        contents["weight_exponent"] = block_exponents(generator, coded, (1, 6, 32))
    elements = words(generator, source, (SAMPLES, 2, 32))
    exponents = generator.integers(0, 2, (SAMPLES, 2, 2, 1)) if as_input else None
    return Case(operator, contents, {"in": Words(elements, exponents)})


def words(generator: np.random.Generator, kind: Format, shape: tuple[int, ...]) -> Array:
    return generator.integers(-1 << (kind.element_bits - 1), 1 << (kind.element_bits - 1), shape)


@pytest.mark.parametrize(("element", "as_input", "as_weight"), PRODUCTS)
def test_products_of_minifloats_are_exact(
    element: Minifloat, as_input: bool, as_weight: bool, build_cache: BuildCache
) -> None:
    case = matvec(element, as_input, as_weight)
    decoded = case.operator.reference(case.inputs, case.contents)["out"].elements
    assert len(np.unique(decoded)) > 40  # not all saturated, not all zero
    assert simulate_case(case, build_cache, "random").exact
    assert simulate_as_synthesised(case, build_cache).exact


def test_a_maximum_compares_decoded_values(build_cache: BuildCache) -> None:
    generator, kind = np.random.default_rng(0), blocks(E2M1)
    operator = MaxPool(2, 3, 32, 16, kind, False, Requantize(IntFormat(8, True)), 4, DEEPEST)
    elements = words(generator, kind, (SAMPLES, 2, 96))
    inputs = {"in": Words(elements, generator.integers(0, 2, (SAMPLES, 2, 6, 1)))}
    case = Case(operator, {"shift": np.array(0)}, inputs)
    assert simulate_case(case, build_cache, "none").exact
    assert simulate_as_synthesised(case, build_cache).exact
