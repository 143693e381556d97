"""Root mean square normalisation: one and many beats per token, rows of zeros, signed and unsigned inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.rms_norm import RmsNorm
from hwgen.numbers.formats import IntFormat, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_rms_norm.sv", "root_rest >= root_trial ? root_rest -", "1'b1 ? root_rest -", "root never restores"),
    Mutation(
        "dse_rms_norm.sv", "step_q < StepWidth'(3 + RootBits)", "step_q < StepWidth'(2 + RootBits)", "root bit lost"
    ),
    Mutation("dse_rms_norm.sv", "total + x * x", "total + x", "elements not squared"),
    Mutation("dse_rms_norm.sv", "(fill_start ? '0 : square_q,", "(square_q,", "sum of all rows"),
    Mutation("dse_rms_norm.sv", "(shift - 1'b1)", "(shift + 1'b1)", "wrong rounding"),
    Mutation("dse_rms_norm.sv", "norm2_q <= norm1_q", "norm2_q <= norm1_q + 1'b1", "shift off by one"),
    Mutation("dse_rms_norm.sv", "gamma_memory[block3_q]", "gamma_memory[block2_q]", "gamma of another beat"),
    Mutation("dse_rms_norm.sv", "!summing_q[1]", "1'b1", "stored rows overwritten"),
    Mutation("dse_rms_norm.sv", "row_last_q[bank_q]", "row_last_q[fill_bank_q]", "last of another row"),
)


def rms_norm(
    rng: np.random.Generator, shape: tuple[int, int], lanes: int, source: IntFormat, result: Requantize
) -> Case:
    """A case of ``shape`` (tokens, features); the first token of the second sample is zero."""
    tokens, features = shape
    operator, contents = RmsNorm.design(tokens, lanes, rng.normal(1.0, 0.5, features), 1e-5, source, result)
    words = random_words(rng, operator.inputs["in"])
    words.elements[1, 0] = 0
    return Case(operator, contents, {"in": words})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: five shapes. Full: widths x lanes."""
    s8 = Requantize(IntFormat(8, True, 5))
    yield rms_norm(rng, (5, 6), 3, IntFormat(8, True, 5), s8)
    yield rms_norm(rng, (3, 40), 1, IntFormat(5, False, 1), s8)  # a token is longer than root and division
    even = Requantize(IntFormat(16, True, 12), Rounding.HALF_EVEN)
    yield rms_norm(rng, (4, 7), 7, IntFormat(16, True, 10), even)
    yield rms_norm(rng, (2, 10), 5, IntFormat(12, True, 6), Requantize(IntFormat(4, False, 1), low=1, high=9))
    yield rms_norm(rng, (1, 1), 1, IntFormat(1, True, 0), Requantize(IntFormat(1, True, 0)))
    if level == "full":
        for index, bits in enumerate(WIDTHS):
            features = int(rng.choice([6, 10, 15, 21]))
            for lanes in lane_choices(features):
                source = IntFormat(bits, bool(rng.integers(0, 2)), int(rng.integers(0, bits + 1)))
                width = WIDTHS[(index + lanes) % len(WIDTHS)]
                target = IntFormat(width, bool(rng.integers(0, 2)), max(width - 3, 0))
                yield rms_norm(
                    rng, (int(rng.integers(1, 7)), features), lanes, source, Requantize(target, Rounding(index % 3))
                )
