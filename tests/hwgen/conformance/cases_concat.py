"""Concatenation along the features, along the first grid axis, and along a later one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.concat import Concat
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, random_words

MUTATIONS = (
    Mutation("dse_concat.sv", "CountWidth'(BeatsB - 1) : CountWidth'(BeatsA - 1)",
             "CountWidth'(BeatsA - 1) : CountWidth'(BeatsB - 1)", "runs of the wrong length"),
    Mutation("dse_concat.sv", "from_b_q ? b_payload_i : a_payload_i", "a_payload_i", "never takes b"),
)  # fmt: skip


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: each axis. Full: every width, one, some and all lanes."""
    kind = IntFormat(6, True)
    yield _case(rng, StreamType(3, 6, 2, kind), StreamType(3, 10, 2, kind), 3, True)
    yield _case(rng, StreamType(2, 6, 3, kind), StreamType(5, 6, 3, kind), 1, False)
    yield _case(rng, StreamType(6, 4, 4, kind), StreamType(3, 4, 4, kind), 3, False)
    yield _case(rng, StreamType(1, 5, 5, kind), StreamType(1, 5, 5, kind), 1, True)
    if level == "full":
        for bits in WIDTHS:
            kind = IntFormat(bits, bool(rng.integers(0, 2)))
            for lanes, a, b in ((1, 3, 4), (5, 10, 15), (7, 7, 7)):
                tokens, periods = int(rng.integers(1, 5)), int(rng.integers(1, 4))
                yield _case(rng, StreamType(tokens, a, lanes, kind), StreamType(tokens, b, lanes, kind), tokens, True)
                left, right = (StreamType(periods * n, a, lanes, kind) for n in (tokens, int(rng.integers(1, 5))))
                yield _case(rng, left, right, periods, False)


def _case(rng: np.random.Generator, a: StreamType, b: StreamType, periods: int, along_features: bool) -> Case:
    operator = Concat(a, b, periods, along_features)
    return Case(operator, {}, {"a": random_words(rng, a), "b": random_words(rng, b)})
