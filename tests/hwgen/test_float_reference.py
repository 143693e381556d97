"""The float reference beside importing: layouts, batches in chunks, speed, pointwise functions."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from hwgen.model.float_reference import apply_input_layout, apply_output_layout, evaluate
from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds import conv
from hwgen.model.kinds.clamps import Relu
from hwgen.model.kinds.conv import Conv
from hwgen.model.kinds.pools import MaxPool
from hwgen.model.kinds.sources import Input
from hwgen.model.pointwise import POINTWISE, erf
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory


def _cnn() -> Graph:
    rng = np.random.default_rng(0)

    def layer(name: str, source: str, size: int, inputs: int, outputs: int) -> Node:
        tensors = {
            "weight": rng.normal(size=(outputs, 3, 3, inputs)).astype(np.float32),
            "bias": rng.normal(size=outputs).astype(np.float32),
        }
        kind = Conv((1, 1), (1, 1, 1, 1), (1, 1), 1)
        return Node(name, kind, (source,), Shape((size, size), outputs), in_memory(tensors))

    pool = MaxPool((2, 2), (2, 2), (0, 0, 0, 0), (1, 1), False)
    nodes = (
        Node("input1", Input((8, 8, 1)), (), Shape((8, 8), 1)),
        layer("conv1", "input1", 8, 1, 8),
        Node("relu1", Relu(), ("conv1",), Shape((8, 8), 8)),
        Node("max_pool1", pool, ("relu1",), Shape((4, 4), 8)),
        layer("conv2", "max_pool1", 4, 8, 16),
    )
    return Graph(nodes, (InputLayout("input1", "x", (1, 8, 8), (1, 2, 0)),), ())


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = _cnn()
    inputs = {"input1": np.random.default_rng(1).normal(size=(37, 8, 8, 1)).astype(np.float32)}
    whole = evaluate(graph, inputs)
    monkeypatch.setattr(conv, "_CHUNK_ELEMENTS", 10_000)
    parts = evaluate(graph, inputs)
    assert set(whole) == {n.name for n in graph.nodes}
    for name, tensor in whole.items():
        assert tensor.dtype == np.float32
        assert tensor.shape == (37, *graph.node(name).shape.dims)
        np.testing.assert_allclose(parts[name], tensor, rtol=1e-5, atol=1e-5)


def test_thousands_of_samples_per_second() -> None:
    inputs = {"input1": np.random.default_rng(1).normal(size=(500, 8, 8, 1)).astype(np.float32)}
    best = math.inf
    for _ in range(3):
        started = time.process_time()
        evaluate(_cnn(), inputs)
        best = min(best, time.process_time() - started)
    assert 500 / best > 2000


def test_layouts_are_inverse() -> None:
    array = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype(np.float32)
    node = Node("input1", Input((4, 5, 2)), (), Shape((4, 5), 2))
    tensor = apply_input_layout(InputLayout("input1", "x", (2, 4, 5), (1, 2, 0)), node, array)
    np.testing.assert_array_equal(tensor, array.transpose(0, 2, 3, 1))
    back = apply_output_layout(OutputLayout("input1", "y", (2, 4, 5), (4, 5, 2), (2, 0, 1)), tensor)
    np.testing.assert_array_equal(back, array)


def test_wrong_input_shape_is_named() -> None:
    node = Node("input1", Input((4,)), (), Shape((), 4))
    with pytest.raises(ValueError, match=r"'x'.*\(4,\).*\(5,\)"):
        apply_input_layout(InputLayout("input1", "x", (4,), (0,)), node, np.zeros((2, 5)))


@pytest.mark.parametrize("name", sorted(POINTWISE))
def test_pointwise_functions_agree_in_both_precisions(name: str) -> None:
    x = np.linspace(-9, 9, 1001)
    exact = POINTWISE[name](x, 0.5)
    np.testing.assert_allclose(POINTWISE[name](x.astype(np.float32), 0.5), exact, rtol=3e-6, atol=3e-6)


def test_erf() -> None:
    x = np.linspace(-4, 4, 101)
    np.testing.assert_array_equal(erf(x), [math.erf(v) for v in x])
