from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize

A, B = IntFormat(8, True, 5), IntFormat(6, False, 3)
TOKENS, HEADS, REDUCTION, OUTPUTS = 5, 3, 8, 4


@pytest.mark.parametrize("transpose_b", [True, False])
def test_reference_is_the_rounded_product(transpose_b: bool) -> None:
    rng = np.random.default_rng(1)
    target = IntFormat(16, True, 6)
    shape = (TOKENS, HEADS, REDUCTION, OUTPUTS)
    operator, contents = Matmul.design(shape, transpose_b, (4, 2), A, B, Requantize(target), DEEPEST)
    a = rng.integers(A.minimum, A.maximum + 1, (2, TOKENS, HEADS, REDUCTION))
    b = rng.integers(
        0, B.maximum + 1, (2, OUTPUTS, HEADS, REDUCTION) if transpose_b else (2, REDUCTION, HEADS, OUTPUTS)
    )
    words = {"a": Words(a.reshape(2, TOKENS, -1)), "b": Words(b.reshape(2, b.shape[1], -1))}
    out = operator.reference(words, contents)["out"].elements.reshape(2, TOKENS, HEADS, OUTPUTS)
    equation = "zthr,znhr->zthn" if transpose_b else "zthr,zrhn->zthn"
    exact = np.einsum(equation, a * A.scale, b * B.scale)
    assert np.abs(out * target.scale - exact).max() <= 0.5 * target.scale


def test_the_accumulator_holds_the_extremes() -> None:
    wide = IntFormat(16, True)
    operator, contents = Matmul.design(
        (1, 1, 21, 1), True, (1, 1), wide, wide, Requantize(IntFormat(48, True)), DEEPEST
    )
    lowest = Words(np.full((1, 1, 21), wide.minimum))
    assert 21 * wide.minimum**2 < 1 << (operator.acc_bits - 1)
    # The widest target of Requantize.apply is 32 bits; the exact sum is seen before it.
    assert operator.reference({"a": lowest, "b": lowest}, {"shift": np.array(8)})["out"].elements.item() == 21 << 22
    assert contents["shift"] == 0


def test_a_target_finer_than_the_product_is_refused() -> None:
    with pytest.raises(IllegalParameters, match="more fraction bits"):
        Matmul.design((1, 1, 2, 2), True, (1, 1), A, B, Requantize(IntFormat(8, True, 9)), DEEPEST)


def test_one_bank_costs_the_load_of_b() -> None:
    shape = (4, 2, 8, 8)
    two, one = (Matmul.design(shape, True, (4, 4), A, A, Requantize(A), DEEPEST, banks)[0].cycles() for banks in (2, 1))
    assert two.interval == 4 * 2 * 2 * 2
    assert one.interval == two.interval + 8 * 2 * 2
    assert one.latency == two.latency
