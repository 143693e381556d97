"""Pooling and depthwise convolution, behind a window and over whole samples."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.reduce import AveragePool, Depthwise, MaxPool, Reduce, average_contents
from hwgen.hardware.pipeline import DEEPEST
from hwgen.numbers.formats import Format, IntFormat, MxFormat, Overflow, Rounding, carrier
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import (
    WIDTHS,
    Case,
    Level,
    Mutation,
    lane_choices,
    random_integers,
    random_words,
)

MUTATIONS = (
    Mutation("dse_reduce.sv", "previous > value ? previous", "previous < value ? previous", "minimum", "MaxPool"),
    Mutation("dse_reduce.sv", "if (Mode == Average) value = previous + value", "if (Mode == Average) value = previous"
             " - value", "sum of the wrong sign", "AveragePool"),
    Mutation("dse_reduce.sv", "{way_first_q, kernel_q == '0}", "{way_first_q, kernel_end}", "starts a beat early"),
    Mutation("dse_reduce.sv", "WeightDepth - 1) ? '0", "WeightDepth - 2) ? '0", "weights turn early", "Depthwise"),
    Mutation("dse_reduce.sv", "acc_memory[way_block[1]] <= next", "acc_memory[0] <= next", "one accumulator for all",
             "whole=True"),
    Mutation("dse_reduce.sv", "(MultDepth - 1) ? '0 : token_q + 1'b1", "(MultDepth - 1) ? '0 : '0",
             "multiplier of the first token", "per_token=True"),
    Mutation("dse_reduce.sv", "(i/SubLanes)*InExpWidth", "0*InExpWidth", "exponent of the first block", "MxFormat"),
)  # fmt: skip

Geometry = tuple[int, int, int, int, bool]  # tokens, kernel, channels, lanes, whole


def max_pool(rng: np.random.Generator, geometry: Geometry, kind: Format, target: IntFormat | None = None) -> Case:
    """Maximum; without a target the format of the input is kept."""
    keep = target is None and kind.plain
    result = Requantize(carrier(kind) if keep else target or IntFormat(8, True))
    tokens, kernel, channels, lanes, whole = geometry
    operator = MaxPool(tokens, kernel, channels, lanes, kind, whole, result, 4, DEEPEST)
    shift = 0 if keep else int(rng.integers(0, max(1, operator.value_bits - result.target.bits + 1)))
    return _case(rng, operator, {"shift": np.array(shift)})


def average_pool(
    rng: np.random.Generator, geometry: Geometry, kind: Format, result: Requantize, per_token: bool
) -> Case:
    """Average with random divisors."""
    tokens, kernel, channels, lanes, whole = geometry
    bits = int(rng.integers(4, 18))
    operator = AveragePool(
        tokens, kernel, channels, lanes, kind, whole, result, 6, DEEPEST, multiplier_bits=bits, per_token=per_token
    )
    divisors = rng.integers(max(1, kernel // 2), kernel + 1, tokens if per_token else ())
    return _case(rng, operator, average_contents(np.asarray(divisors), bits, -int(rng.integers(0, 3))))


def depthwise(
    rng: np.random.Generator, geometry: Geometry, kind: Format, weight: IntFormat, result: Requantize, one_shift: bool
) -> Case:
    """Weighted sum with random weights and biases."""
    tokens, kernel, channels, lanes, whole = geometry
    weights = random_integers(rng, weight, (channels, kernel))
    bound = kernel * kind.largest_magnitude * weight.largest_magnitude + 300
    bits = accumulator_bits(-bound, bound)
    operator = Depthwise(
        tokens,
        kernel,
        channels,
        lanes,
        kind,
        whole,
        result,
        6,
        DEEPEST,
        weight=weight,
        sum_bits=bits,
        one_shift=one_shift,
    )
    shift = rng.integers(0, max(0, bits - result.target.bits) + 2, () if one_shift else channels)
    bias = rng.integers(-300, 301, channels)
    return _case(rng, operator, {"weight": weights, "bias": bias, "shift": np.asarray(shift)})


def _case(rng: np.random.Generator, operator: Reduce, contents: dict[str, np.ndarray]) -> Case:
    return Case(operator, contents, {"in": random_words(rng, operator.inputs["in"])})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: each mode behind a window and whole. Full: widths x lanes x roundings, shared exponents."""
    s8 = Requantize(IntFormat(8, True))
    yield max_pool(rng, (6, 4, 6, 3, False), IntFormat(8, True))
    yield max_pool(rng, (1, 5, 7, 1, True), IntFormat(3, False))
    yield average_pool(rng, (5, 9, 4, 2, False), IntFormat(8, True), s8, True)
    yield average_pool(rng, (1, 12, 10, 5, True), IntFormat(5, False), Requantize(IntFormat(5, False)), False)
    yield depthwise(rng, (6, 9, 6, 2, False), IntFormat(8, True), IntFormat(4, True), s8, False)
    relu = Requantize(IntFormat(7, False), Rounding.HALF_EVEN, high=90)
    yield depthwise(rng, (1, 6, 15, 5, True), IntFormat(12, False), IntFormat(16, True), relu, True)
    yield depthwise(rng, (3, 3, 32, 32, False), MxFormat(4, 16, 3), IntFormat(5, True), s8, False)
    if level == "full":
        yield from _matrix(rng)
        yield from _shared_exponents(rng)


def _matrix(rng: np.random.Generator) -> Iterator[Case]:
    for bits, lanes in itertools.product(WIDTHS, lane_choices(15)):
        whole = bool(rng.integers(0, 2))
        geometry = (1 if whole else int(rng.integers(1, 6)), int(rng.integers(1, 12)), 15, lanes, whole)
        kind = IntFormat(bits, bool(rng.integers(0, 2)))
        other = IntFormat(int(rng.choice(WIDTHS)), bool(rng.integers(0, 2)))
        rounding, overflow = Rounding(int(rng.integers(0, 3))), Overflow(int(rng.integers(0, 2)))
        yield max_pool(rng, geometry, kind)
        yield average_pool(rng, geometry, kind, Requantize(other, rounding, overflow), bool(rng.integers(0, 2)))
        yield depthwise(rng, geometry, kind, other, Requantize(kind, rounding, overflow), bool(rng.integers(0, 2)))


def _shared_exponents(rng: np.random.Generator) -> Iterator[Case]:
    for (mantissa, block), lanes in itertools.product(((2, 8), (5, 16), (8, 32)), (1, 8, 32, 64)):
        kind = MxFormat(mantissa, block, int(rng.integers(1, 5)))
        whole = bool(rng.integers(0, 2))
        geometry = (1 if whole else 3, 4, 64, lanes, whole)
        yield max_pool(rng, geometry, kind, IntFormat(6, True))
        yield average_pool(rng, geometry, kind, Requantize(IntFormat(7, True)), False)
        yield depthwise(rng, geometry, kind, IntFormat(3, True), Requantize(IntFormat(8, True)), False)
