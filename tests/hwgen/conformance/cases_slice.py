"""Slices of the features, of the first grid axis, and of a later one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.slice import Slice
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, random_words

MUTATIONS = (
    Mutation("dse_slice.sv", "(beat_q - BeatWidth'(First))", "(beat_q - BeatWidth'(First + 1))", "keeps the next beat"),
    Mutation("dse_slice.sv", "in_ready_o = ready || !keep", "in_ready_o = 1'b1", "takes a kept beat without a place"),
    Mutation("dse_slice.sv", "period_q == PeriodWidth'(Periods - 1)", "period_q == '0", "last in the first period"),
)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: front, middle, back and everything. Full: every width, one, some and all lanes."""
    kind = IntFormat(6, True)
    yield _case(rng, StreamType(3, 10, 2, kind), 3, (2, 6), True)
    yield _case(rng, StreamType(7, 3, 3, kind), 1, (4, 7), False)
    yield _case(rng, StreamType(8, 4, 2, kind), 2, (0, 1), False)
    yield _case(rng, StreamType(1, 5, 5, kind), 1, (0, 5), True)
    if level == "full":
        for bits in WIDTHS:
            kind = IntFormat(bits, bool(rng.integers(0, 2)))
            for lanes in (1, 5, 15):
                blocks = 15 // lanes
                start = int(rng.integers(0, blocks))
                stop = int(rng.integers(start + 1, blocks + 1))
                tokens, periods = int(rng.integers(1, 5)), int(rng.integers(1, 4))
                stream = StreamType(tokens, 15, lanes, kind)
                yield _case(rng, stream, tokens, (start * lanes, stop * lanes), True)
                first = int(rng.integers(0, tokens))
                stream = StreamType(periods * tokens, 15, lanes, kind)
                yield _case(rng, stream, periods, (first, int(rng.integers(first + 1, tokens + 1))), False)


def _case(
    rng: np.random.Generator, source: StreamType, periods: int, kept: tuple[int, int], along_features: bool
) -> Case:
    return Case(Slice(source, periods, *kept, along_features), {}, {"in": random_words(rng, source)})
