"""Broadcasting: whole tensors, single tokens, single features."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operator import Operator
from hwgen.hardware.operators.repeat import Repeat, Spread
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_repeat.sv", "first ? in_payload_i : memory[addr_q]", "in_payload_i", "never reads the store"),
    Mutation("dse_repeat.sv", "CopyWidth'(Copies - 1)", "CopyWidth'(Copies)", "one copy too many", "copies=3"),
    Mutation("dse_repeat.sv", "sample_end_q   <= in_last_i", "sample_end_q   <= 1'b1", "every block ends a sample"),
)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: each kind. Full: widths x lanes."""
    kind = IntFormat(6, True)
    yield _case(rng, Repeat(StreamType(4, 6, 2, kind), 2, 3))
    yield _case(rng, Repeat(StreamType(1, 7, 7, kind), 1, 5))
    yield _case(rng, Repeat(StreamType(3, 5, 1, kind), 3, 2))
    yield _case(rng, Spread(StreamType(4, 1, 1, kind), 15, 5))
    yield _case(rng, Spread(StreamType(4, 1, 1, kind), 3, 3))
    if level == "full":
        for bits in WIDTHS:
            features = int(rng.choice([6, 10, 21]))
            for lanes in lane_choices(features):
                kind, block = IntFormat(bits, bool(rng.integers(0, 2))), int(rng.integers(1, 4))
                stream = StreamType(block * int(rng.integers(1, 4)), features, lanes, kind)
                yield _case(rng, Repeat(stream, block, int(rng.integers(2, 6))))
                yield _case(rng, Spread(StreamType(int(rng.integers(1, 6)), 1, 1, kind), features, lanes))


def _case(rng: np.random.Generator, operator: Operator) -> Case:
    return Case(operator, {}, {port: random_words(rng, kind) for port, kind in operator.inputs.items()})
