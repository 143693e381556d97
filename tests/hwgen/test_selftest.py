from __future__ import annotations

from pathlib import Path

import pytest

from hwgen import selftest
from hwgen.errors import NotExact
from hwgen.hardware.streams import Words
from hwgen.simulation import simulate


def test_every_word_is_compared(cache_directory: Path) -> None:
    answer = selftest.run(cache_directory)
    assert answer["compared_words"] >= 8 and answer["seconds"] >= 0


def test_a_wrong_word_is_no_answer(cache_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = simulate.simulate

    def lie(design, inputs, cache, options, expected):
        return honest(
            design, inputs, cache, options, {name: Words(words.elements + 1) for name, words in expected.items()}
        )

    monkeypatch.setattr(simulate, "simulate", lie)
    with pytest.raises(NotExact):
        selftest.run(cache_directory)
