"""MXFP4: conversion of activations to it, and products of it with itself and with integers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.numbers.formats import IntFormat, Mxfp4Format, Rounding
from hwgen.numbers.rescale import Requantize
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation
from tests.hwgen.conformance.cases_matvec import matvec
from tests.hwgen.conformance.cases_to_mx import to_mx

MUTATIONS = (
    Mutation("dse_to_mx.sv", "absolute(-low > high ? low : high)", "absolute(high)", "forgets the negative values"),
    Mutation("dse_to_mx.sv", "if (code > (1 << (MantissaWidth - 1)) - 1)", "if (1'b0)", "does not saturate"),
    Mutation("dse_decode.svh", "<< (exponent - 1)", "<< exponent", "exponents one too large"),
    Mutation("dse_decode.svh", "if (exponent != 0) magnitude", "if (exponent > 1) magnitude", "a lost leading one"),
)
LANES = (1, 2, 4, 8, 32, 64)


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: a conversion and products. Full: widths x lanes x windows of exponents x roundings."""
    yield to_mx(rng, (3, 64, 2), IntFormat(16, True), Mxfp4Format(3))
    yield to_mx(rng, (2, 20, 4), IntFormat(8, False), Mxfp4Format(2), Rounding.HALF_EVEN)
    yield _product(rng, 64, (8, 3), Mxfp4Format(3), Mxfp4Format(4))
    yield _product(rng, 20, (5, 2), IntFormat(8, True), Mxfp4Format(4))
    if level == "full":
        for bits in (*WIDTHS, 24):
            for lanes in LANES:
                features = lanes * int(rng.integers(1, 4)) if lanes > 1 else int(rng.integers(1, 70))
                source = IntFormat(bits, bool(rng.integers(0, 2)))
                target = Mxfp4Format(int(rng.integers(1, 5)))
                yield to_mx(rng, (2, features, lanes), source, target, Rounding(int(rng.integers(0, 3))))
        for lanes in LANES:
            for exponent_bits in (1, 3, 4):
                yield _product(rng, 64, (lanes, 3), Mxfp4Format(exponent_bits), Mxfp4Format(5 - exponent_bits))
                yield _product(rng, 64, (lanes, 2), IntFormat(int(rng.choice(WIDTHS)), True), Mxfp4Format(4))


def _product(
    rng: np.random.Generator,
    features: int,
    lanes: tuple[int, int],
    source: IntFormat | Mxfp4Format,
    weight: Mxfp4Format,
) -> Case:
    result = Requantize(IntFormat(int(rng.choice((8, 16))), True), Rounding(int(rng.integers(0, 3))))
    return matvec(rng, (2, 1, features, 6), lanes, source, weight, result, bool(rng.integers(0, 2)))
