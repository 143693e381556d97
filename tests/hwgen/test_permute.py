from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.operators.permute import Permute, beat_order, most_lanes
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat

S8 = IntFormat(8, True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_permutation_is_the_transposition(order: tuple[int, ...]) -> None:
    view = (3, 1, 4, 2)
    lanes = most_lanes(view, order)
    values = np.arange(2 * 24).reshape(2, 24)
    operator = Permute(1, 24, 1, 24, lanes, S8)
    out = operator.reference({"in": Words(values.reshape(2, 1, 24))}, {"address": beat_order(view, order, lanes)})
    expected = values.reshape(2, *view).transpose(0, *(axis + 1 for axis in order))
    assert np.array_equal(out["out"].elements.ravel(), expected.ravel())


def test_axes_of_length_one_do_not_break_a_run() -> None:
    assert most_lanes((5, 1, 6), (1, 0, 2)) == 30
    assert most_lanes((5, 3, 6), (1, 0, 2)) == 6
    assert most_lanes((5, 3), (1, 0)) == 1


def test_a_torn_beat_is_refused() -> None:
    with pytest.raises(IllegalParameters, match="stay together"):
        beat_order((4, 6), (1, 0), 2)


def test_addresses_that_are_no_permutation_are_refused() -> None:
    with pytest.raises(IllegalParameters, match="permutation"):
        Permute(1, 4, 1, 4, 1, S8).memory_images({"address": np.array([0, 1, 1, 3])})
