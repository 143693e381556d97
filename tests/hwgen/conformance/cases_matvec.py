"""Matrix-vector product: integer and shared-exponent operands, groups, per-channel shifts, every rounding."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat, MxFormat, Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import (
    WIDTHS,
    Case,
    Level,
    Mutation,
    block_exponents,
    lane_choices,
    random_integers,
    random_words,
)

MUTATIONS = (
    Mutation("dse_requantize.svh", "if (Rounding != 0 && shift", "if (Rounding == 3 && shift", "rounds down"),
    Mutation("dse_requantize.svh", "if (!rounded[0]) offset", "if (rounded[0]) offset", "ties to odd", "HALF_EVEN"),
    Mutation("dse_matvec.sv", "total = total + x[i] *", "total = total + x[InLanes-1-i] *", "swapped lanes"),
    Mutation(
        "dse_matvec.sv", "WeightAddrWidth'(WeightDepth - 1) ? '0 : weight", "'0 ? '0 : weight", "weights not rewound"
    ),
    Mutation("dse_matvec.sv", "(first ? signed'", "(!first ? signed'", "bias at the wrong step"),
    Mutation("dse_matvec.sv", "(free || !block_end)", "1'b1", "issued without a place in the output"),
    Mutation(
        "dse_matvec.sv",
        "((partial << in_exponent(beat, b))",
        "((partial << in_exponent(beat, 0))",
        "exponent of the first block only",
        "MxFormat",
    ),
)


def matvec(
    rng: np.random.Generator,
    shape: tuple[int, int, int, int],
    lanes: tuple[int, int],
    source: Format,
    weight: Format,
    result: Requantize,
    shared_shift: bool,
) -> Case:
    """A case of ``shape`` (tokens, groups, in_features, out_features) with random contents."""
    tokens, groups, in_features, out_features = shape
    weights, exponents = _weights(rng, weight, (groups, out_features, in_features))
    bias = rng.integers(-300, 301, (groups, out_features))
    bound = source.largest_magnitude * weight.largest_magnitude * in_features + 300
    acc_bits = max(accumulator_bits(-bound, bound), result.target.bits + 1)
    shift_bits = acc_bits.bit_length()
    limit = max(1, acc_bits - result.target.bits + 2)
    shift = np.array(rng.integers(0, limit)) if shared_shift else rng.integers(0, limit, (groups, out_features))
    operator = Matvec(
        tokens,
        groups,
        in_features,
        out_features,
        *lanes,
        source,
        weight,
        acc_bits,
        result,
        shift_bits,
        shared_shift,
        DEEPEST,
    )
    contents = {"weight": weights, "bias": bias, "shift": shift, **exponents}
    return Case(operator, contents, {"in": random_words(rng, operator.inputs["in"])})


def _weights(rng: np.random.Generator, kind: Format, shape: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
    elements = random_integers(rng, IntFormat(kind.element_bits, kind.element.signed), shape)
    return elements, {"weight_exponent": block_exponents(rng, kind, shape)} if kind.block else {}


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: every feature once. Full: widths x lanes, roundings x overflow, formats in each legal combination."""
    yield from _samples(rng)
    if level == "full":
        yield from _width_matrix(rng)
        yield from _rounding_matrix(rng)
        yield from _shared_exponents(rng)


def _samples(rng: np.random.Generator) -> Iterator[Case]:
    half_up = Requantize(IntFormat(8, True))
    yield matvec(rng, (2, 1, 15, 14), (5, 7), IntFormat(8, True), IntFormat(4, True), half_up, False)
    yield matvec(rng, (3, 2, 6, 5), (2, 1), IntFormat(5, False), IntFormat(3, True), half_up, True)
    yield matvec(
        rng, (1, 1, 1, 1), (1, 1), IntFormat(1, False), IntFormat(1, True), Requantize(IntFormat(3, True)), True
    )
    wide = Requantize(IntFormat(16, True))
    yield matvec(rng, (2, 3, 4, 6), (4, 6), IntFormat(16, True), IntFormat(16, True), wide, False)
    # Narrow sums and a wide result: small shifts, so ties are frequent.
    even = Requantize(IntFormat(6, True), Rounding.HALF_EVEN)
    yield matvec(rng, (3, 1, 4, 10), (2, 5), IntFormat(3, True), IntFormat(2, True), even, False)
    relu = Requantize(IntFormat(7, False), Rounding.FLOOR, low=0, high=100)
    yield matvec(rng, (1, 1, 21, 9), (7, 3), IntFormat(7, True), IntFormat(2, True), relu, True)
    both = MxFormat(4, 8), MxFormat(3, 16, 2)
    yield matvec(rng, (2, 1, 32, 6), (32, 2), *both, half_up, True)
    yield matvec(rng, (2, 2, 16, 4), (4, 4), IntFormat(6, True), MxFormat(4, 8), half_up, False)


def _width_matrix(rng: np.random.Generator) -> Iterator[Case]:
    for bits in WIDTHS:
        in_features, out_features = (int(rng.choice([6, 10, 15, 21])) for _ in range(2))
        for in_lanes, out_lanes in zip(lane_choices(in_features), lane_choices(out_features), strict=True):
            shape = (int(rng.integers(1, 4)), int(rng.integers(1, 3)), in_features, out_features)
            signed = bool(rng.integers(0, 2))
            kinds = IntFormat(bits, signed), IntFormat(int(rng.choice(WIDTHS)), bool(rng.integers(0, 2)) or not signed)
            result = Requantize(IntFormat(bits, bool(rng.integers(0, 2))), Rounding(int(rng.integers(0, 3))))
            yield matvec(rng, shape, (in_lanes, out_lanes), *kinds, result, bool(rng.integers(0, 2)))
            kinds = kinds[1], kinds[0]
            yield matvec(rng, shape, (in_lanes, 1), *kinds, result, bool(rng.integers(0, 2)))


def _rounding_matrix(rng: np.random.Generator) -> Iterator[Case]:
    for rounding, overflow, shared in itertools.product(Rounding, Overflow, (False, True)):
        result = Requantize(IntFormat(6, True), rounding, overflow)
        yield matvec(rng, (2, 1, 9, 6), (3, 2), IntFormat(5, True), IntFormat(5, True), result, shared)


def _shared_exponents(rng: np.random.Generator) -> Iterator[Case]:
    integer = IntFormat(5, True)
    result = Requantize(IntFormat(8, True), Rounding.HALF_EVEN)
    for mantissa, block in itertools.product((2, 3, 4, 5, 7, 8), (8, 16, 32)):
        mx = MxFormat(mantissa, block, int(rng.integers(1, 5)))
        pairs = ((mx, integer), (integer, mx), (mx, MxFormat(4, 16, 2)))
        in_features = int(rng.choice([block, 2 * block]))
        for kinds in pairs:
            for in_lanes in (1, 8, in_features):
                if in_lanes > in_features or not all(k.respects(in_lanes, in_features) for k in kinds):
                    continue
                yield matvec(rng, (2, 1, in_features, 6), (in_lanes, 3), *kinds, result, bool(rng.integers(0, 2)))
