"""Clamps narrower than one unit in the last place, or outside the format: RTL and reference give the same words."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.design import run_reference
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.streams import Words
from hwgen.lowering import Calibration, Lanes, Precision, lower, quantize_graph
from hwgen.model.graph import Graph, InputLayout, OutputLayout
from hwgen.model.kinds.clamps import Clip
from hwgen.model.kinds.linear import Linear
from hwgen.numbers.formats import IntFormat, carrier, dequantize, quantize
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import simulate
from tests.hwgen.networks import NetworkMaker


def clipped_linear(low: float, high: float) -> Graph:
    """linear → clip → linear, so that the clip has the plan's format."""
    maker = NetworkMaker(np.random.default_rng(0))
    source = maker.input((), 8)
    first = maker.linear(source, 8)
    clip = maker.put(Clip(low, high), first)
    last = maker.linear(clip, 4)
    return Graph(
        tuple(maker.nodes), (InputLayout(source, "x", (8,), (0,)),), (OutputLayout(last, "y", (4,), (4,), (0,)),)
    )


@pytest.mark.parametrize(("low", "high", "bits"), [(0.95, 0.99, 4), (0.26, 0.3, 2), (-0.99, -0.95, 4)])
def test_a_clamp_without_a_word_keeps_the_nearest_one(
    low: float, high: float, bits: int, build_cache: BuildCache
) -> None:
    graph = clipped_linear(low, high)
    data = np.random.default_rng(1).normal(size=(32, 8)).astype(np.float32)
    choice, eight = IntFormat(bits, True), IntFormat(8, True)
    plan = {n.name: Precision(eight, choice) for n in graph.nodes if isinstance(n.kind, Linear)}
    plan[graph.inputs[0].node] = Precision(None, eight)
    quantized = quantize_graph(graph, plan, Calibration.collect(graph, {graph.inputs[0].node: data}))
    hidden = quantized.nodes[1]
    operator = hidden.parts[-1].operator
    assert isinstance(operator, Matvec)
    least, most = operator.result.clamp
    assert least == most
    middle, step = (low + high) / 2, hidden.format.scale
    assert abs(float(dequantize(np.array(least), hidden.format)) - middle) <= step
    lanes = {n.name: Lanes(1, 1) for n in graph.nodes if isinstance(n.kind, Linear)}
    design = lower(quantized, lanes, {})
    inner = design.inputs[0]
    words = {inner.name: Words(quantize(data[:4], carrier(inner.type.format)).reshape(4, 1, 8))}
    assert simulate(design, words, build_cache, expected=run_reference(design, words)).exact


@pytest.mark.parametrize(("low", "high", "clamp"), [(9, 12, (7, 7)), (-20, -10, (-8, -8)), (-3, 99, (-3, 7))])
def test_a_clamp_outside_the_format_is_its_nearest_word(low: int, high: int, clamp: tuple[int, int]) -> None:
    result = Requantize(IntFormat(4, True), low=low, high=high)
    assert result.clamp == clamp
    assert set(result.apply(np.arange(-50, 50), 0).tolist()) <= set(range(clamp[0], clamp[1] + 1))
