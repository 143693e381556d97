"""Layer normalisation: one and many beats per token, rows of equal elements, signed and unsigned inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.layer_norm import LayerNorm
from hwgen.numbers.formats import IntFormat, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_root.sv", "(RootBits + 1){!negative}", "(RootBits + 1){1'b1}", "always subtracted"),
    Mutation("dse_root.sv", "CountWidth'(RootBits - 1)", "CountWidth'(RootBits - 2)", "root bit lost"),
    Mutation("dse_norm.sv", "(norm - 1'b1)", "(norm + 1'b1)", "wrong rounding"),
    Mutation("dse_norm.sv", "NormWidth'(MaxShift) -", "NormWidth'(MaxShift + 1) -", "shift off by one"),
    Mutation("dse_norm.sv", "fill_block_q != '0 || room_q", "1'b1", "stored rows overwritten"),
    Mutation("dse_norm.sv", "(factor_take ? start_last : last_q)", "start_last", "last of another row"),
    Mutation("dse_norm.sv", "- WideWidth'(sum_q) * WideWidth'(sum_q)", "", "mean not removed from the variance"),
    Mutation("dse_norm.sv", "* NumWidth'(Size) - NumWidth'(total)", "* NumWidth'(Size)", "mean not removed"),
)


def layer_norm(
    rng: np.random.Generator,
    shape: tuple[int, int],
    lanes: int,
    source: IntFormat,
    result: Requantize,
) -> Case:
    """A case of ``shape`` (tokens, features); the first token of each sample has equal elements."""
    tokens, features = shape
    gamma, beta = rng.normal(1.0, 0.5, features), rng.normal(0.0, 0.5, features)
    operator, contents = LayerNorm.design(tokens, lanes, gamma, beta, 1e-5, source, result)
    words = random_words(rng, operator.inputs["in"])
    words.elements[1:, 0] = words.elements[1:, 0, :1]
    return Case(operator, contents, {"in": words})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: five shapes. Full: widths x lanes."""
    s8 = Requantize(IntFormat(8, True, 5))
    yield layer_norm(rng, (5, 6), 3, IntFormat(8, True, 5), s8)
    yield layer_norm(rng, (3, 40), 1, IntFormat(5, False, 1), s8)  # a token is longer than root and division
    even = Requantize(IntFormat(16, True, 12), Rounding.HALF_EVEN)
    yield layer_norm(rng, (4, 7), 7, IntFormat(16, True, 10), even)
    yield layer_norm(rng, (2, 10), 5, IntFormat(12, True, 6), Requantize(IntFormat(4, False, 1), low=1, high=9))
    yield layer_norm(rng, (1, 1), 1, IntFormat(1, True, 0), Requantize(IntFormat(1, True, 0)))
    if level == "full":
        for index, bits in enumerate(WIDTHS):
            features = int(rng.choice([6, 10, 15, 21]))
            for lanes in lane_choices(features):
                source = IntFormat(bits, bool(rng.integers(0, 2)), int(rng.integers(0, bits + 1)))
                width = WIDTHS[(index + lanes) % len(WIDTHS)]
                target = IntFormat(width, bool(rng.integers(0, 2)), max(width - 3, 0))
                yield layer_norm(
                    rng, (int(rng.integers(1, 7)), features), lanes, source, Requantize(target, Rounding(index % 3))
                )
