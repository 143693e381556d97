"""Lane adapters between every pair of divisors, whether or not one divides the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.adapter import Adapter
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, random_words

MUTATIONS = (
    Mutation("dse_adapter.sv", "<= CountWidth'(Capacity - InUnits)", "<= CountWidth'(Capacity - InUnits + 1)",
             "accepts a unit too many"),
    Mutation("dse_adapter.sv", "place(in_payload_i, kept_count)", "place(in_payload_i, count_q)",
             "places a beat as if none had left"),
    Mutation("dse_adapter.sv", "CountWidth'(InUnits - 1))", "CountWidth'(0))", "marks the wrong unit as last"),
    Mutation("dse_adapter.sv", "left_q      <= direct", "left_q      <= 1'b0", "sends the first unit twice"),
    Mutation("dse_adapter.sv", "count_q == CountWidth'(1) && beat_last_q", "beat_last_q", "every unit ends a sample"),
    Mutation("dse_adapter.sv", "{spare_valid_q ? spare_q : in_payload_i,", "{in_payload_i,", "forgets a held unit"),
)  # fmt: skip


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: up, down, coprime, equal. Full: all pairs of divisors of 12 and 30, and every width."""
    for features, source, target in ((6, 1, 6), (6, 6, 1), (6, 2, 3), (6, 3, 2), (30, 5, 6), (12, 4, 12), (7, 7, 7)):
        yield _case(rng, 3, features, source, target, IntFormat(5, True))
    if level == "full":
        for features in (12, 30):
            divisors = [d for d in range(1, features + 1) if features % d == 0]
            for source in divisors:
                for target in divisors:
                    yield _case(rng, int(rng.integers(1, 4)), features, source, target, IntFormat(3, False))
        for bits in WIDTHS:
            for source, target in ((1, 3), (3, 1), (3, 7), (7, 3), (21, 1), (7, 21)):
                yield _case(rng, int(rng.integers(1, 4)), 21, source, target, IntFormat(bits, True))


def _case(rng: np.random.Generator, tokens: int, features: int, source: int, target: int, kind: IntFormat) -> Case:
    operator = Adapter(StreamType(tokens, features, source, kind), target)
    return Case(operator, {}, {"in": random_words(rng, operator.source)})
