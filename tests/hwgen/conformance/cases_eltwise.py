"""Elementwise sum and product: mixed formats and scales, every rounding, activation clamps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.formats import IntFormat, Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_eltwise.sv", "wide_a * wide_b : wide_a + wide_b", "wide_a * wide_b : wide_a | wide_b", "no carry",
             "ADD"),
    Mutation("dse_eltwise.sv", "y = b[i*BWidth+:BWidth]", "y = b[(Lanes-1-i)*BWidth+:BWidth]", "swapped lanes of b"),
    Mutation("dse_requantize.svh", "if (Rounding != 0 && shift", "if (Rounding == 3 && shift", "rounds down"),
    Mutation("dse_join.sv", "a_valid && b_valid", "a_valid", "does not wait for b"),
    Mutation("dse_join.sv", "assign pop         = out_valid_o && out_ready_i", "assign pop         = out_ready_i",
             "drops a beat that has no partner"),
)  # fmt: skip

Shape = tuple[int, int, int]


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: sums and products of mixed formats. Full: widths x lanes, roundings x overflow."""
    s8 = Requantize(IntFormat(8, True))
    yield _case(rng, Function.ADD, (2, 15, 5), IntFormat(8, True), IntFormat(6, False), (1, 3), s8)
    yield _case(rng, Function.MULTIPLY, (3, 6, 2), IntFormat(7, True), IntFormat(5, True), (0, 0), s8)
    yield _case(rng, Function.ADD, (1, 1, 1), IntFormat(1, False), IntFormat(1, True), (0, 0), s8)
    relu6 = Requantize(IntFormat(5, False), Rounding.HALF_EVEN, low=0, high=24)
    yield _case(rng, Function.ADD, (2, 21, 7), IntFormat(5, True), IntFormat(5, True), (2, 0), relu6)
    wide = Requantize(IntFormat(16, True), Rounding.FLOOR)
    yield _case(rng, Function.MULTIPLY, (2, 6, 6), IntFormat(16, True), IntFormat(16, False), (0, 0), wide)
    if level == "full":
        yield from _matrix(rng)


def _matrix(rng: np.random.Generator) -> Iterator[Case]:
    for function, bits in itertools.product(Function, WIDTHS):
        features = int(rng.choice([6, 10, 15, 21]))
        for lanes in lane_choices(features):
            kinds = [IntFormat(int(b), bool(rng.integers(0, 2))) for b in (bits, rng.choice(WIDTHS))]
            rng.shuffle(kinds)
            result = Requantize(IntFormat(bits, bool(rng.integers(0, 2))), Rounding(int(rng.integers(0, 3))))
            left = (int(rng.integers(0, 5)), int(rng.integers(0, 5))) if function is Function.ADD else (0, 0)
            yield _case(rng, function, (int(rng.integers(1, 4)), features, lanes), kinds[0], kinds[1], left, result)
    for function, rounding, overflow in itertools.product(Function, Rounding, Overflow):
        result = Requantize(IntFormat(4, True), rounding, overflow)
        yield _case(rng, function, (4, 6, 3), IntFormat(5, True), IntFormat(4, True), (0, 1), result)


def _case(
    rng: np.random.Generator,
    function: Function,
    shape: Shape,
    a: IntFormat,
    b: IntFormat,
    left: tuple[int, int],
    result: Requantize,
) -> Case:
    acc_bits = max(Eltwise.acc_bits_for(function, a, b, *left), result.target.bits)
    operator = Eltwise(function, *shape, a, b, acc_bits, result, acc_bits.bit_length(), DEEPEST)
    shift = rng.integers(0, max(1, acc_bits - result.target.bits + 1))
    contents = {"left_a": np.array(left[0]), "left_b": np.array(left[1]), "shift": np.array(shift)}
    return Case(operator, contents, {port: random_words(rng, kind) for port, kind in operator.inputs.items()})
