"""Conversion to shared exponents: lanes that divide a block and that hold several, short last blocks, saturation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.to_mx import ToMx
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import Format, IntFormat, MxFormat, Rounding
from tests.hwgen.conformance.case import SAMPLES, WIDTHS, Case, Level, Mutation, random_integers

MUTATIONS = (
    Mutation("dse_to_mx.sv", "<= MantissaHigh) exponent", "< MantissaHigh) exponent", "exponent one too large"),
    Mutation("dse_to_mx.sv", "least = first ?", "least = 1'b1 ?", "extreme of the last beat only", "lanes=2"),
    Mutation("dse_to_mx.sv", "shift, exponents[(i/SubLanes)*ExpWidth", "shift, exponents[0*ExpWidth",
             "exponent of the first block", "lanes=16"),
    Mutation("dse_to_mx.sv", "exponents_pop = issue &&", "exponents_pop = issue ||", "an exponent for every beat"),
    Mutation("dse_to_mx.sv", "count == CountWidth'(Depth)", "1'b0", "stored beats overwritten"),
    Mutation("dse_to_mx.sv", "exponents_valid && free", "exponents_valid", "issued without a place"),
)  # fmt: skip


def to_mx(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    source: IntFormat,
    target: Format,
    rounding: Rounding = Rounding.HALF_UP,
) -> Case:
    """A case of ``shape`` (tokens, features, lanes); blocks have values of every magnitude."""
    operator = ToMx(*shape, source, target, 5, DEEPEST, rounding)
    tokens, features, _ = shape
    words = random_integers(rng, source, (SAMPLES, tokens, features))
    magnitude = np.repeat(rng.integers(0, source.bits + 1, (SAMPLES, tokens, -(-features // 4))), 4, axis=2)
    excess = source.bits - target.element_bits - target.max_exponent
    shift = int(rng.integers(0, max(0, excess) + 2))
    small = words >> magnitude[:, :, :features]
    return Case(operator, {"shift": np.array(shift)}, {"in": Words(small.astype(np.int64))})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: each relation of lanes and block. Full: widths x lanes x blocks x roundings."""
    yield to_mx(rng, (3, 32, 2), IntFormat(16, True), MxFormat(4, 8, 3))
    yield to_mx(rng, (2, 32, 16), IntFormat(12, True), MxFormat(5, 8, 3), Rounding.HALF_EVEN)
    yield to_mx(rng, (4, 20, 4), IntFormat(8, False), MxFormat(3, 16, 2))
    yield to_mx(rng, (3, 15, 3), IntFormat(24, True), MxFormat(8, 16, 4))
    yield to_mx(rng, (2, 7, 7), IntFormat(1, False), MxFormat(2, 32, 1), Rounding.FLOOR)
    if level == "full":
        for bits, block in itertools.product((*WIDTHS, 32), (8, 16, 32)):
            target = MxFormat(int(rng.integers(2, 9)), block, int(rng.integers(1, 5)))
            source = IntFormat(bits, bool(rng.integers(0, 2)))
            for lanes in (1, 8, 2 * block):
                features = lanes * int(rng.integers(1, 3)) if lanes > 1 else int(rng.integers(1, 70))
                shape = (int(rng.integers(1, 5)), features, lanes)
                yield to_mx(rng, shape, source, target, Rounding(int(rng.integers(0, 3))))
