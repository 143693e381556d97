from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from hwgen.hardware.operator import MemoryImage
from hwgen.hardware.streams import StreamType, Words, beat_bytes
from hwgen.numbers import arrays
from hwgen.numbers.arrays import pack_bits
from hwgen.numbers.formats import MxFormat


def number(values: np.ndarray, bits: int) -> int:  # type: ignore[type-arg]
    """The packed word as one integer, by definition."""
    return sum((int(value) & ((1 << bits) - 1)) << (i * bits) for i, value in enumerate(values))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.int8, np.int64])
@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 24, 32, 33, 63])
def test_words_are_packed_by_definition(
    bits: int, count: int, dtype: type, order: Literal["C", "F"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "SLICE_ELEMENTS", 2 * count)  # several slices, the last one short
    values = np.random.default_rng(bits).integers(-100, 100, (5, count)).astype(dtype, order=order)
    packed = pack_bits(values, bits)
    assert [int.from_bytes(row.tobytes(), "little") for row in packed] == [number(row, bits) for row in values]
    digits = 2 * packed.shape[1]
    assert MemoryImage(values, bits).text() == "".join(f"{number(row, bits):0{digits}x}\n" for row in values)


def test_exponents_lie_above_the_elements() -> None:
    stream = StreamType(2, 16, 16, MxFormat(3, 8, 2))
    generator = np.random.default_rng(0)
    words = Words(generator.integers(-4, 4, (3, 2, 16)), generator.integers(0, 4, (3, 2, 1, 2)))
    assert words.exponents is not None
    beats = [
        number(elements, 3) | number(exponents, 2) << 48
        for elements, exponents in zip(words.elements.reshape(6, 16), words.exponents.reshape(6, 2), strict=True)
    ]
    assert beat_bytes(words, stream) == b"".join(beat.to_bytes(8, "little") for beat in beats)
