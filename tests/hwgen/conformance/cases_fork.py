"""Forks: two to four consumers, each with its own back-pressure; integers and shared exponents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.fork import MAX_COPIES, fork
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat, MxFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_fork.sv", "& ~done_q", "", "offers a beat twice"),
    Mutation("dse_fork.sv", "&(done_q | out_ready_i)", "|(done_q | out_ready_i)", "drops a beat for the slower"),
    Mutation(
        "dse_spill_register.sv", "spill_valid_q ? spill_q : in_payload_i", "in_payload_i", "loses the spilled beat"
    ),
)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: each number of consumers. Full: every width and lane count."""
    for copies in range(2, MAX_COPIES + 1):
        yield _case(rng, StreamType(2, 15, 5, IntFormat(7, True)), copies)
    yield _case(rng, StreamType(3, 32, 16, MxFormat(5, 8)), 2)
    if level == "full":
        for bits in WIDTHS:
            features = int(rng.choice([6, 10, 21]))
            for lanes in lane_choices(features):
                stream = StreamType(int(rng.integers(1, 6)), features, lanes, IntFormat(bits, bool(rng.integers(0, 2))))
                yield _case(rng, stream, int(rng.integers(2, MAX_COPIES + 1)))


def _case(rng: np.random.Generator, stream: StreamType, copies: int) -> Case:
    return Case(fork(stream, copies), {}, {"in": random_words(rng, stream)})
