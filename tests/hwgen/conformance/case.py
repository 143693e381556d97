"""What an operator's conformance file yields, and random words for its streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hwgen.hardware.operator import Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat

Level = Literal["quick", "full"]

WIDTHS = (1, 2, 3, 4, 5, 7, 8, 12, 16)
SAMPLES = 4  # the interval is read off the last two samples, when the pipeline has filled


@dataclass(frozen=True)
class Case:
    """One operator with its constants and at least three samples on every input (port prefix to words)."""

    operator: Operator
    contents: Mapping[str, Array] = field(default_factory=dict)
    inputs: Mapping[str, Words] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        return f"{self.operator} {self.note}".rstrip()


@dataclass(frozen=True)
class Mutation:
    """A planted RTL fault: ``old`` occurs exactly once in ``file`` and becomes ``new``.

    Some quick case whose text contains ``only`` must detect it; naming one saves compilations.
    """

    file: str
    old: str
    new: str
    what: str
    only: str = ""


def random_integers(rng: np.random.Generator, kind: IntFormat, shape: tuple[int, ...]) -> Array:
    """Uniform words of ``kind``; one in eight is an extreme of the format."""
    words = rng.integers(kind.minimum, kind.maximum + 1, shape)
    extreme = np.where(rng.random(shape) < 0.5, kind.minimum, kind.maximum)
    return np.where(rng.random(shape) < 0.125, extreme, words).astype(np.int64)


def random_words(rng: np.random.Generator, stream: StreamType, samples: int = SAMPLES) -> Words:
    """Random content of a stream, shared exponents equal within their block."""
    shape = (samples, stream.tokens, stream.features)
    kind = stream.format
    elements = random_integers(rng, IntFormat(kind.element_bits, kind.element.signed), shape).astype(np.int32)
    if kind.block == 0:
        return Words(elements)
    exponents = block_exponents(rng, kind, shape)[..., :: stream.lanes // stream.exponents_per_beat]
    return Words(elements, exponents.reshape(samples, stream.tokens, stream.blocks, stream.exponents_per_beat))


def block_exponents(rng: np.random.Generator, kind: Format, shape: tuple[int, ...]) -> Array:
    """Random exponents of ``shape``, equal within each block of the last axis."""
    blocks = -(-shape[-1] // kind.block)
    per_block = rng.integers(0, kind.max_exponent + 1, (*shape[:-1], blocks))
    return kind.spread(per_block, shape[-1])


def lane_choices(features: int) -> tuple[int, ...]:
    """One lane, a prime number of lanes where one divides, and all lanes."""
    primes = [p for p in (7, 5, 3, 2) if features % p == 0 and p != features]
    return tuple(dict.fromkeys((1, *primes[:1], features)))
