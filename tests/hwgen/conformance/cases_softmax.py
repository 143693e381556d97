"""Softmax: causal and full rows, one and many beats, wide inputs whose table drops bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.softmax import Softmax
from hwgen.numbers.formats import IntFormat, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_softmax.sv", "+ i <= 32'(limit)", "+ i < 32'(limit)", "diagonal masked", "causal=True"),
    Mutation("dse_softmax.sv", "(row_valid && room_q)", "row_valid", "row memory overwritten"),
    Mutation("dse_softmax.sv", "in_count == InCountWidth'(InDepth)", "1'b0", "stored beats overwritten"),
    Mutation("dse_softmax.sv", "larger(loaded_first ? '0 : max_q", "larger(max_q", "maximum of all rows"),
    Mutation("dse_divider.sv", "CountWidth'(QuotientWidth - 1)", "CountWidth'(QuotientWidth - 2)", "quotient bit lost"),
    Mutation("dse_divider.sv", "(DivisorWidth + 1){!negative}", "(DivisorWidth + 1){1'b1}", "always subtracted"),
    Mutation("dse_softmax.sv", "total + SumWidth'(terms", "total | SumWidth'(terms", "sum without carries"),
    Mutation("dse_softmax.sv", "if (32'(distance) >", "if (32'(distance) <", "distance wraps", "drop=2"),
    Mutation(
        "dse_softmax.sv", "(quotient_take ? divide_last_q : scale_last_q)", "divide_last_q", "last of another row"
    ),
)


def softmax(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    lanes: int,
    causal: bool,
    source: IntFormat,
    result: Requantize,
) -> Case:
    """A case of ``shape`` (tokens, groups, size)."""
    operator, contents = Softmax.design(shape, lanes, causal, source, result)
    return Case(operator, contents, {"in": random_words(rng, operator.inputs["in"])})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: five shapes. Full: widths x lanes x causal."""
    u8 = Requantize(IntFormat(8, False, 8))
    yield softmax(rng, (5, 2, 6), 3, True, IntFormat(8, True, 5), u8)
    yield softmax(rng, (2, 3, 10), 5, False, IntFormat(5, False, 1), u8)
    yield softmax(rng, (3, 1, 40), 1, False, IntFormat(8, True, 4), u8)  # the row is longer than the division
    even = Requantize(IntFormat(12, True, 10), Rounding.HALF_EVEN)
    yield softmax(rng, (2, 1, 7), 7, True, IntFormat(16, True, 10), even)
    yield softmax(rng, (1, 1, 1), 1, False, IntFormat(1, True, 0), Requantize(IntFormat(1, False, 0)))
    if level == "full":
        for index, bits in enumerate(WIDTHS):
            size = int(rng.choice([6, 10, 15, 21]))
            for lanes in lane_choices(size):
                source = IntFormat(bits, bool(rng.integers(0, 2)), int(rng.integers(0, bits + 1)))
                width = WIDTHS[(index + lanes) % len(WIDTHS)]
                result = Requantize(IntFormat(width, False, width), Rounding(int(rng.integers(0, 3))))
                shape = (int(rng.integers(1, 9)), int(rng.integers(1, 4)), size)
                yield softmax(rng, shape, lanes, bool(rng.integers(0, 2)), source, result)
