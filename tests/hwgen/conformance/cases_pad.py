"""Padding of the features, of the first grid axis, and of a later one; before only, behind only, and both."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.pad import Pad
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_pad.sv", "(beat_q - BeatWidth'(Before))", "(beat_q - BeatWidth'(Before - 1))", "body a beat early"),
    Mutation("dse_pad.sv", "in_ready_o = ready && body", "in_ready_o = ready", "takes input while it pads"),
    Mutation(
        "dse_pad.sv", "valid      = behind || in_valid_i", "valid      = in_valid_i", "the end waits for more input"
    ),
    Mutation("dse_pad.sv", "{Lanes{value_memory[0]}}", "'0", "pads with zeros"),
    Mutation("dse_pad.sv", "period_q == PeriodWidth'(Periods - 1)", "period_q == '0", "last in the first period"),
)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: both sides, before, behind, nothing. Full: every width, one, some and all lanes."""
    kind = IntFormat(6, True)
    yield _case(rng, StreamType(3, 4, 2, kind), 3, (2, 4), True)
    yield _case(rng, StreamType(7, 3, 3, kind), 1, (2, 1), False)
    yield _case(rng, StreamType(8, 4, 2, kind), 2, (0, 3), False)
    yield _case(rng, StreamType(2, 5, 5, kind), 2, (10, 0), True)
    yield _case(rng, StreamType(1, 5, 1, kind), 1, (0, 0), True)
    if level == "full":
        for bits in WIDTHS:
            kind = IntFormat(bits, bool(rng.integers(0, 2)))
            for lanes in lane_choices(15):
                before, after = (int(n) for n in rng.integers(0, 4, 2))
                tokens, periods = int(rng.integers(1, 5)), int(rng.integers(1, 4))
                yield _case(rng, StreamType(tokens, 15, lanes, kind), tokens, (before * lanes, after * lanes), True)
                yield _case(rng, StreamType(periods * tokens, 15, lanes, kind), periods, (before, after), False)


def _case(
    rng: np.random.Generator, source: StreamType, periods: int, around: tuple[int, int], along_features: bool
) -> Case:
    value = rng.integers(source.format.element.minimum, source.format.element.maximum + 1)
    operator = Pad(source, periods, *around, along_features)
    return Case(operator, {"value": np.array(value)}, {"in": random_words(rng, source)})
