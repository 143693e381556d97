"""The references of matrix products are exact at every accumulator width that is legal, beyond float64 too."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat, Overflow
from hwgen.numbers.rescale import Requantize

LOW_BITS = Requantize(IntFormat(16, True), overflow=Overflow.WRAP)


def words_of(total: int) -> int:
    """The low 16 bits as a signed number: what wrapping leaves of an exact sum."""
    return (total + (1 << 15)) % (1 << 16) - (1 << 15)


@pytest.mark.parametrize("weight_bits", [6, 9, 20, 36, 42])
def test_matvec(weight_bits: int) -> None:
    source, weight = IntFormat(16, True), IntFormat(weight_bits, True)
    x = np.array([[[source.maximum, source.minimum, source.maximum, 12345]]])
    w = np.array([[[weight.maximum, weight.minimum, weight.maximum, 3]]], dtype=np.int64)
    bias = 7
    total = sum(int(a) * int(b) for a, b in zip(x.ravel(), w.ravel(), strict=True)) + bias
    bits = total.bit_length() + 1
    operator = Matvec(1, 1, 4, 1, 1, 1, source, weight, bits, LOW_BITS, 1, True, DEEPEST)
    contents = {"weight": w, "bias": np.array([[bias]]), "shift": np.array(0)}
    assert int(operator.reference({"in": Words(x)}, contents)["out"].elements.item()) == words_of(total)


@pytest.mark.parametrize("bits", [8, 16, 24, 29])
def test_matmul(bits: int) -> None:
    kind = IntFormat(bits, True)
    a, b = np.full((1, 1, 4), kind.minimum), np.full((1, 1, 4), kind.minimum)
    a[..., -1], b[..., -1] = kind.maximum, 3
    total = sum(int(x) * int(y) for x, y in zip(a.ravel(), b.ravel(), strict=True))
    operator = Matmul(1, 1, 4, 1, True, 1, 1, kind, kind, total.bit_length() + 1, LOW_BITS, 1, DEEPEST)
    found = operator.reference({"a": Words(a), "b": Words(b)}, {"shift": np.array(0)})["out"]
    assert int(found.elements.item()) == words_of(total)
