"""Product of two streams: both orders of the second one, one and two banks, heads, every signedness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.formats import IntFormat, Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation(
        "dse_matmul.sv", "b_ready_o   = !b_full_q[b_fill_bank_q]", "b_ready_o   = 1'b1", "bank written while it is used"
    ),
    Mutation("dse_matmul.sv", "total = total + x[i] *", "total = total + x[InLanes-1-i] *", "swapped lanes"),
    Mutation(
        "dse_matmul.sv",
        "SlotStep + BAddrWidth'(OuterStride)",
        "SlotStep + BAddrWidth'(OuterStride + 1)",
        "address off by one",
    ),
    Mutation("dse_matmul.sv", "(first ? '0 : acc[o])", "acc[o]", "accumulator not cleared"),
    Mutation("dse_matmul.sv", "{way_last_q, b_use_done}", "{way_last_q, a_use_done}", "last marked for every vector"),
)


def matmul(
    rng: np.random.Generator,
    shape: tuple[int, int, int, int],
    lanes: tuple[int, int],
    formats: tuple[IntFormat, IntFormat],
    result: Requantize,
    transpose_b: bool,
    banks: int,
    samples: int = 5,
) -> Case:
    """A case of ``shape`` (tokens, heads, reduction, outputs)."""
    a, b = formats
    products = [x * y for x in (a.minimum, a.maximum) for y in (b.minimum, b.maximum)]
    acc_bits = max(accumulator_bits(shape[2] * min(products), shape[2] * max(products)), 2)
    operator = Matmul(*shape, transpose_b, *lanes, a, b, acc_bits, result, acc_bits.bit_length(), DEEPEST, banks)
    shift = np.array(rng.integers(0, max(1, acc_bits - result.target.bits + 2)))
    words = {port: random_words(rng, stream, samples) for port, stream in operator.inputs.items()}
    return Case(operator, {"shift": shift}, words)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: five shapes. Full: widths x lanes x order x banks."""
    s8, u5 = IntFormat(8, True), IntFormat(5, False)
    half_up = Requantize(s8)
    yield matmul(rng, (3, 2, 6, 4), (3, 2), (s8, s8), half_up, True, 2)
    yield matmul(rng, (4, 2, 4, 6), (2, 3), (u5, s8), half_up, False, 2)
    even = Requantize(IntFormat(7, False), Rounding.HALF_EVEN, low=0)
    yield matmul(rng, (1, 3, 5, 2), (5, 1), (IntFormat(16, True), IntFormat(12, True)), even, True, 1)
    yield matmul(rng, (2, 1, 1, 1), (1, 1), (IntFormat(1, False), IntFormat(1, True)), half_up, False, 1)
    # One word of b per sample: a released bank is written at once.
    yield matmul(rng, (1, 1, 3, 1), (3, 1), (s8, s8), half_up, True, 1, samples=100)
    if level == "full":
        yield from _matrix(rng)


def _matrix(rng: np.random.Generator) -> Iterator[Case]:
    for index, bits in enumerate(WIDTHS):
        reduction, outputs = (int(rng.choice([6, 10, 15, 21])) for _ in range(2))
        for in_lanes, out_lanes in zip(lane_choices(reduction), reversed(lane_choices(outputs)), strict=True):
            shape = (int(rng.integers(1, 7)), int(rng.integers(1, 4)), reduction, outputs)
            formats = (
                IntFormat(bits, bool(rng.integers(0, 2))),
                IntFormat(int(rng.choice(WIDTHS)), bool(rng.integers(0, 2))),
            )
            target = IntFormat(bits, bool(rng.integers(0, 2)))
            result = Requantize(target, Rounding(int(rng.integers(0, 3))), Overflow(int(rng.integers(0, 2))))
            yield matmul(rng, shape, (in_lanes, out_lanes), formats, result, index % 2 == 0, 1 + in_lanes % 2)
