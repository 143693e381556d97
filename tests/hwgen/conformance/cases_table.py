"""Look-up: random tables (every entry matters) over widths and lanes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.table import Table
from hwgen.numbers.formats import IntFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_integers, random_words

MUTATIONS = (
    Mutation("dse_table.sv", "index_q[i*InWidth+:", "index_q[(Lanes-1-i)*InWidth+:", "swapped lanes"),
    Mutation("dse_table.sv", "index_last_q <= in_last_i", "index_last_q <= 1'b0", "last beat not marked"),
    Mutation("dse_table.sv", "in_ready_o = !stall", "in_ready_o = 1'b1", "input lost while stalled"),
)


def table(rng: np.random.Generator, shape: tuple[int, int, int], source: IntFormat, target: IntFormat) -> Case:
    """A case of ``shape`` (tokens, features, lanes) with a random table."""
    operator = Table(*shape, source, target)
    contents = {"table": random_integers(rng, target, (1 << source.bits,))}
    return Case(operator, contents, {"in": random_words(rng, operator.inputs["in"])})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: four shapes. Full: input widths x lanes with output widths in turn."""
    yield table(rng, (3, 10, 5), IntFormat(8, True), IntFormat(8, True))
    yield table(rng, (2, 7, 1), IntFormat(5, False), IntFormat(3, True))
    yield table(rng, (1, 6, 6), IntFormat(1, True), IntFormat(1, False))
    yield table(rng, (1, 1, 1), IntFormat(12, True), IntFormat(16, True))
    if level == "full":
        for index, bits in enumerate(w for w in WIDTHS if w <= 12):
            features = int(rng.choice([6, 10, 15, 21]))
            for lanes in lane_choices(features):
                target = IntFormat(WIDTHS[(index * 2 + lanes) % len(WIDTHS)], bool(lanes % 2))
                yield table(rng, (int(rng.integers(1, 4)), features, lanes), IntFormat(bits, bits % 2 == 0), target)
