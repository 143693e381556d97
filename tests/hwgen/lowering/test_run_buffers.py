"""Concatenations and slices behind one fork: the runs of one path wait for those of the other."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.design import Design, Endpoint, Instance, Stream, verify_design
from hwgen.hardware.operators.concat import Concat
from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.operators.fork import fork
from hwgen.hardware.operators.slice import Slice
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType
from hwgen.lowering.buffers import insert_buffers
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import SimulationOptions, simulate
from tests.hwgen.conformance.case import random_words

KIND = IntFormat(6, True)


def with_itself(stream: StreamType, periods: int, along_features: bool) -> Design:
    """``concat(x, x)``."""
    operator = Concat(stream, stream, periods, along_features)
    instances = (Instance("copy", fork(stream, 2)), Instance("join", operator))
    streams = (
        Stream("x", stream, None, Endpoint("copy", "in")),
        Stream("left", stream, Endpoint("copy", "out0"), Endpoint("join", "a")),
        Stream("right", stream, Endpoint("copy", "out1"), Endpoint("join", "b")),
        Stream("y", operator.outputs["out"], Endpoint("join", "out"), None),
    )
    return Design("with_itself", instances, streams)


def halves(stream: StreamType, periods: int, along_features: bool, swapped: bool) -> Design:
    """``first half of x * second half of x``, as in a gated linear unit."""
    units = stream.features if along_features else stream.tokens // periods
    ranges = ((units // 2, units), (0, units // 2)) if swapped else ((0, units // 2), (units // 2, units))
    left, right = (Slice(stream, periods, *kept, along_features) for kept in ranges)
    half = left.outputs["out"]
    product = Eltwise(
        Function.MULTIPLY,
        half.tokens,
        half.features,
        half.lanes,
        KIND,
        KIND,
        12,
        Requantize(IntFormat(8, True)),
        4,
        DEEPEST,
    )
    shifts = {"left_a": np.array(0), "left_b": np.array(0), "shift": np.array(3)}
    instances = (
        Instance("copy", fork(stream, 2)),
        Instance("left", left),
        Instance("right", right),
        Instance("product", product, shifts),
    )
    streams = (
        Stream("x", stream, None, Endpoint("copy", "in")),
        Stream("to_left", stream, Endpoint("copy", "out0"), Endpoint("left", "in")),
        Stream("to_right", stream, Endpoint("copy", "out1"), Endpoint("right", "in")),
        Stream("a", half, Endpoint("left", "out"), Endpoint("product", "a")),
        Stream("b", half, Endpoint("right", "out"), Endpoint("product", "b")),
        Stream("y", product.outputs["out"], Endpoint("product", "out"), None),
    )
    return Design("halves", instances, streams)


def interval(design: Design, cache: BuildCache) -> int | None:
    """Cycles per sample with computed buffers, every word compared."""
    buffered = insert_buffers(design)
    verify_design(buffered)
    words = {"x": random_words(np.random.default_rng(0), design.inputs[0].type)}
    result = simulate(buffered, words, cache, SimulationOptions(quiet_cycles=3_000))
    assert result.exact, result.deadlock or result.first_wrong
    return result.interval_cycles


@pytest.mark.parametrize(
    ("shape", "periods", "along_features"), [((60, 4, 2), 1, False), ((20, 40, 2), 20, True), ((60, 4, 2), 4, False)]
)
def test_concatenation_with_itself(
    build_cache: BuildCache, shape: tuple[int, int, int], periods: int, along_features: bool
) -> None:
    stream = StreamType(*shape, KIND)
    assert interval(with_itself(stream, periods, along_features), build_cache) == 2 * stream.beats


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("shape", "periods", "along_features"), [((60, 4, 2), 1, False), ((4, 120, 2), 4, True), ((60, 4, 2), 3, False)]
)
def test_product_of_halves(
    build_cache: BuildCache, shape: tuple[int, int, int], periods: int, along_features: bool, swapped: bool
) -> None:
    stream = StreamType(*shape, KIND)
    assert interval(halves(stream, periods, along_features, swapped), build_cache) == stream.beats
