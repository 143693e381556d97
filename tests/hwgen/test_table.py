from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.operators.table import Table, function_table
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat

SOURCE = IntFormat(8, True, 4)


def _apply(source: IntFormat, target: IntFormat, words: np.ndarray) -> np.ndarray:
    operator, contents = Table.design(np.tanh, 1, words.size, 1, source, target)
    given = Words(words.reshape(1, 1, -1).astype(np.int32))
    return operator.reference({"in": given}, contents)["out"].elements.ravel()


@pytest.mark.parametrize("source", [SOURCE, IntFormat(10, True, 7), IntFormat(5, False, 3)])
@pytest.mark.parametrize("target", [IntFormat(8, True, 6), IntFormat(16, True, 14)])
def test_every_word_is_within_half_a_unit_of_the_function(source: IntFormat, target: IntFormat) -> None:
    words = np.arange(source.minimum, source.maximum + 1)
    error = _apply(source, target, words) * target.scale - np.tanh(words * source.scale)
    assert np.abs(error).max() <= 0.5 * target.scale


def test_infinite_values_saturate() -> None:
    table = function_table(lambda x: np.where(x > 0, np.inf, x), SOURCE, SOURCE)
    assert table[1] == SOURCE.maximum
    assert table[255] == -1


def test_an_undefined_value_is_refused() -> None:
    with pytest.raises(ValueError, match="undefined"):
        function_table(lambda x: np.where(x < 0, np.nan, x), SOURCE, SOURCE)


def test_wide_inputs_are_refused() -> None:
    with pytest.raises(IllegalParameters, match="at most 12 bits"):
        Table(1, 1, 1, IntFormat(13, True), SOURCE)
