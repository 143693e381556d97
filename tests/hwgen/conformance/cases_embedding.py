"""Embedding: vocabularies that are no power of two, ids beyond them, one and many beats per row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.embedding import Embedding
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_integers, random_words

MUTATIONS = (
    Mutation("dse_embedding.sv", "32'(id) * Blocks", "32'(id) * Blocks + 1", "row off by one"),
    Mutation("dse_embedding.sv", "row_last_q && row_end", "row_last_q", "last marked on every beat of a row"),
    Mutation("dse_embedding.sv", "|| (row_end && !stall)", "|| row_end", "id lost while stalled"),
)


def embedding(rng: np.random.Generator, shape: tuple[int, int, int, int], id_bits: int, target: IntFormat) -> Case:
    """A case of ``shape`` (tokens, vocabulary, features, lanes); ``id_bits`` may reach beyond the vocabulary."""
    operator = Embedding(*shape, IntFormat(id_bits, False), target, DEEPEST)
    contents = {"table": random_integers(rng, target, (shape[1], shape[2]))}
    return Case(operator, contents, {"in": random_words(rng, operator.inputs["in"])})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: four shapes. Full: element widths x lanes."""
    yield embedding(rng, (5, 11, 6, 3), 4, IntFormat(8, True))
    yield embedding(rng, (3, 5, 7, 1), 3, IntFormat(3, False))
    yield embedding(rng, (4, 2, 5, 5), 1, IntFormat(16, True))
    yield embedding(rng, (1, 1, 1, 1), 1, IntFormat(1, False))
    if level == "full":
        for bits in WIDTHS:
            features = int(rng.choice([6, 10, 15, 21]))
            for lanes in lane_choices(features):
                vocabulary = int(rng.integers(1, 60))
                shape = (int(rng.integers(1, 6)), vocabulary, features, lanes)
                yield embedding(rng, shape, max(1, (vocabulary - 1).bit_length()), IntFormat(bits, bits % 2 == 0))
