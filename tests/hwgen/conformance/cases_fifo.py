"""FIFOs of every small depth, of depths around powers of two, and with shared exponents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.fifo import Fifo
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat, MxFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_fifo.sv", "count_q != CountWidth'(MemoryDepth)", "1'b1", "accepts beats when full"),
    Mutation("dse_fifo.sv", "(!head_valid_q || out_ready_i);", "1'b1;", "overwrites the head"),
    Mutation("dse_fifo.sv", "if (fetch) read_addr_q <= read_addr_q == AddrWidth'(MemoryDepth - 1)",
             "if (fetch) read_addr_q <= read_addr_q == AddrWidth'(MemoryDepth - 2)", "turns around too early"),
)  # fmt: skip


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: depths 1 to 5. Full: widths x lanes at random depths."""
    for depth in (1, 2, 3, 4, 5, 17):
        yield _case(rng, StreamType(4, 14, 7, IntFormat(5, True)), depth)
    yield _case(rng, StreamType(3, 32, 16, MxFormat(3, 8)), 6)
    if level == "full":
        for bits in WIDTHS:
            features = int(rng.choice([6, 10, 21]))
            for lanes in lane_choices(features):
                stream = StreamType(int(rng.integers(1, 9)), features, lanes, IntFormat(bits, bool(rng.integers(0, 2))))
                yield _case(rng, stream, int(rng.integers(1, 40)))
        for depth in (7, 8, 9, 15, 16, 31, 32, 33, 100):
            yield _case(rng, StreamType(30, 6, 1, IntFormat(9, True)), depth)


def _case(rng: np.random.Generator, stream: StreamType, depth: int) -> Case:
    return Case(Fifo(stream, depth), {}, {"in": random_words(rng, stream)})
