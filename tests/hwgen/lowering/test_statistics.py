from __future__ import annotations

import weakref

import numpy as np
import pytest

from hwgen.lowering import Calibration, calibration
from hwgen.lowering.statistics import VALUES_PER_TENSOR, Statistics
from hwgen.model.float_reference import evaluate, walk
from hwgen.model.graph import Graph
from hwgen.model.kinds.layout import Reshape
from hwgen.model.kinds.sources import Input
from hwgen.numbers.arrays import Array
from tests.hwgen.networks import random_network


def network(samples: int) -> tuple[Graph, dict[str, Array]]:
    graph = random_network(3)
    generator = np.random.default_rng(0)
    shapes = {i.node: (samples, *graph.node(i.node).shape.dims) for i in graph.inputs}
    return graph, {name: generator.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("size", [1, 100, VALUES_PER_TENSOR, VALUES_PER_TENSOR + 1, 100_000, 2_000_000])
def test_batches_leave_the_sample_that_the_whole_gives(size: int) -> None:
    values = np.random.default_rng(1).standard_normal(size, dtype=np.float32)
    statistics = Statistics(size, np.random.default_rng(0))
    for part in np.array_split(values, 7):
        if part.size:
            statistics.add(part)
    if size <= VALUES_PER_TENSOR:
        expected = values
    else:
        chosen = np.random.default_rng(0).choice(values, VALUES_PER_TENSOR - 2, replace=False)
        expected = np.concatenate([chosen, [values.min(), values.max()]])
    np.testing.assert_array_equal(statistics.values, expected)
    assert statistics.values.dtype == np.float32


def test_calibration_by_batches_chooses_the_same_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, inputs = network(samples=9)
    whole = Calibration.collect(graph, inputs)
    monkeypatch.setattr(calibration, "BATCH_ELEMENTS", 1)
    one_by_one = Calibration.collect(graph, inputs)
    for node in graph.nodes:
        np.testing.assert_allclose(whole.values[node.name], one_by_one.values[node.name], rtol=1e-5, atol=1e-6)
        assert whole.fraction_bits(node.name, 8, True) == one_by_one.fraction_bits(node.name, 8, True)


def test_a_walk_drops_what_nobody_reads_any_more() -> None:
    graph, inputs = network(samples=2)
    expected = evaluate(graph, inputs)
    made: dict[str, weakref.ref[Array]] = {}
    for place, (name, tensor) in enumerate(walk(graph, inputs)):
        np.testing.assert_array_equal(tensor, expected[name])
        made[name] = weakref.ref(tensor)
        del tensor
        later = {i for node in graph.nodes[place:] for i in node.inputs}
        views = {node.name for node in graph.nodes if isinstance(node.kind, Input | Reshape)}  # of other tensors
        assert {n for n, held in made.items() if held() is not None} <= later | {name} | views
