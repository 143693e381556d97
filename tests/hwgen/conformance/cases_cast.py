"""Casts between integer formats, up and down, with activation clamps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.cast import Cast
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat, Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, lane_choices, random_words

MUTATIONS = (
    Mutation("dse_cast.sv", "x})) <<< left;", "x}) & AccWidth'((1 << InWidth) - 1)) <<< left;", "forgets the sign"),
    Mutation("dse_requantize.svh", "rounded = RqWide'(ClampHigh);", "rounded = RqWide'(ClampHigh + 1);",
             "clamps one too high"),
    Mutation("dse_requantize.svh", "(wide + offset) >>> shift", "(wide | offset) >>> shift", "dropped carry"),
)  # fmt: skip


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: narrower, wider, ReLU, ReLU6. Full: widths x lanes, roundings x overflow."""
    yield _case(rng, (2, 15, 5), IntFormat(9, True), Requantize(IntFormat(4, True)), 0, 3)
    yield _case(rng, (2, 6, 3), IntFormat(4, True), Requantize(IntFormat(12, True)), 6, 0)
    yield _case(rng, (1, 7, 7), IntFormat(8, True), Requantize(IntFormat(8, False), low=0), 1, 0)
    yield _case(
        rng, (3, 4, 1), IntFormat(8, True), Requantize(IntFormat(8, True), Rounding.HALF_EVEN, low=0, high=48), 0, 1
    )
    if level == "full":
        yield from _matrix(rng)


def _matrix(rng: np.random.Generator) -> Iterator[Case]:
    for bits, target in itertools.product(WIDTHS, WIDTHS):
        features = int(rng.choice([6, 10, 15, 21]))
        lanes = int(rng.choice(lane_choices(features)))
        source = IntFormat(bits, bool(rng.integers(0, 2)))
        result = Requantize(IntFormat(target, bool(rng.integers(0, 2))), Rounding(int(rng.integers(0, 3))))
        left = max(0, target - bits + int(rng.integers(-1, 2)))
        yield _case(rng, (int(rng.integers(1, 4)), features, lanes), source, result, left, max(0, bits - target))
    for rounding, overflow in itertools.product(Rounding, Overflow):
        for shift in range(6):
            result = Requantize(IntFormat(4, True), rounding, overflow)
            yield _case(rng, (6, 10, 5), IntFormat(6, True), result, 0, shift)


def _case(
    rng: np.random.Generator, shape: tuple[int, int, int], source: IntFormat, result: Requantize, left: int, shift: int
) -> Case:
    acc_bits = Cast.acc_bits_for(source, result.target, left)
    operator = Cast(StreamType(*shape, source), acc_bits, result, 5, DEEPEST)
    contents = {"left": np.array(left), "shift": np.array(shift)}
    return Case(operator, contents, {"in": random_words(rng, operator.source)})
