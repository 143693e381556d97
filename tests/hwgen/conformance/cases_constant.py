"""Constants: stored tensors replayed for every sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.constant import Constant
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat, carrier
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_integers

MUTATIONS = (
    Mutation(
        "dse_constant.sv",
        "AddrWidth'(Beats - 1) ? '0 : next_q + 1'b1",
        "AddrWidth'(Beats - 1) ? next_q : next_q + 1'b1",
        "not rewound at the end",
    ),
    Mutation("dse_constant.sv", "!valid_q || out_ready_i", "1'b1", "moves on without a transfer"),
)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: a few shapes. Full: widths x lanes."""
    for tokens, features, lanes, bits in ((3, 6, 2, 5), (1, 1, 1, 1), (1, 7, 7, 16), (5, 3, 1, 8)):
        yield _case(rng, StreamType(tokens, features, lanes, IntFormat(bits, True)))
    if level == "full":
        for bits in WIDTHS:
            features = int(rng.choice([6, 10, 21]))
            for lanes in lane_choices(features):
                yield _case(rng, StreamType(int(rng.integers(1, 9)), features, lanes, IntFormat(bits, bits % 2 == 0)))


def _case(rng: np.random.Generator, stream: StreamType) -> Case:
    kind = carrier(stream.format)
    return Case(Constant(stream), {"value": random_integers(rng, kind, (stream.tokens, stream.features))})
