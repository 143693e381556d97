"""Every rule of the legality table refuses a graph that breaks it, and accepts the graph that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import IllegalGraph
from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.clamps import Clip
from hwgen.model.kinds.conv import Conv
from hwgen.model.kinds.kind import Kind
from hwgen.model.kinds.layer_norm import LayerNorm
from hwgen.model.kinds.layout import Permute, Reshape
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.kinds.pointwise import Pointwise
from hwgen.model.kinds.pools import MaxPool
from hwgen.model.kinds.softmax import Softmax
from hwgen.model.kinds.sources import Input
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory
from hwgen.model.verify import verify_imported
from hwgen.numbers.arrays import Array


def _graph() -> Graph:
    """input (4, 4, 2) → conv → reshape → linear."""
    conv = {"weight": np.ones((3, 2, 2, 2), np.float32), "bias": np.zeros(3, np.float32)}
    linear = {"weight": np.ones((5, 27), np.float32), "bias": np.zeros(5, np.float32)}
    nodes = (
        Node("input1", Input((4, 4, 2)), (), Shape((4, 4), 2)),
        Node("conv1", Conv((1, 1), (0, 0, 0, 0), (1, 1), 1), ("input1",), Shape((3, 3), 3), in_memory(conv)),
        Node("reshape1", Reshape((27,)), ("conv1",), Shape((), 27)),
        Node("linear1", Linear(), ("reshape1",), Shape((), 5), in_memory(linear)),
    )
    inputs = (InputLayout("input1", "x", (2, 4, 4), (1, 2, 0)),)
    return Graph(nodes, inputs, (OutputLayout("linear1", "y", (5,), (5,), (0,)),))


def _with(index: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        nodes = list(graph.nodes)
        nodes[index] = replace(nodes[index], **changes)  # type: ignore[arg-type]
        return replace(graph, nodes=tuple(nodes))

    return change


def _layout(**changes: object) -> Callable[[Graph], Graph]:
    return lambda graph: replace(graph, inputs=(replace(graph.inputs[0], **changes),))  # type: ignore[arg-type]


def _output(**changes: object) -> Callable[[Graph], Graph]:
    return lambda graph: replace(graph, outputs=(replace(graph.outputs[0], **changes),))  # type: ignore[arg-type]


def _tensors(index: int, **changes: Array) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        return _with(index, tensors={**graph.nodes[index].tensors, **in_memory(changes)})(graph)

    return change


def _attributes(index: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        return _with(index, kind=replace(graph.nodes[index].kind, **changes))(graph)

    return change


def _softmax(kind: Softmax) -> Callable[[Graph], Graph]:
    return _with(2, kind=kind, shape=Shape((3, 3), 3))


def test_legal_graph_passes_and_survives_its_file(tmp_path: Path) -> None:
    verify_imported(_graph())
    _graph().save(tmp_path / "g")
    again = Graph.load(tmp_path / "g")
    verify_imported(again)
    assert [n.name for n in again.nodes] == [n.name for n in _graph().nodes]
    assert again.inputs == _graph().inputs


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_with(1, name="input1"), "defined once"),
        (_with(1, name='a;$system("id")'), "names are legal"),
        (_with(1, name="Conv"), "names are legal"),
        (lambda g: replace(g, nodes=(g.nodes[0], g.nodes[2], g.nodes[1], g.nodes[3])), "topological order"),
        (_with(1, inputs=("conv1",)), "topological order"),
        (_with(1, inputs=()), "have their inputs"),
        (_with(1, inputs=("input1", "input1")), "have their inputs"),
        (_with(3, tensors={}), "have their constants"),
        (_tensors(3, bias=np.zeros(5)), "have their constants"),
        (_tensors(3, bias=np.full(5, np.nan, np.float32)), "have their constants"),
        (_tensors(3, bias=np.zeros(4, np.float32)), "shapes agree"),
        (_tensors(3, weight=np.ones((5, 26), np.float32)), "shapes agree"),
        (_with(1, shape=Shape((3, 3), 4)), "shapes agree"),
        (_with(1, shape=Shape((0, 3), 3)), "shapes agree"),
        (_attributes(1, strides=(2, 2)), "shapes agree"),
        (_attributes(1, strides=(0, 1)), "shapes agree"),
        (_attributes(1, groups=2), "shapes agree"),
        (_with(2, shape=Shape((), 26)), "shapes agree"),
        (_with(2, kind=Reshape((26,)), shape=Shape((), 26)), "keep all elements"),
        (_with(2, kind=Permute((9, 3), (0, 0), (27,))), "keep all elements"),
        (_with(2, kind=Permute((9, 2), (1, 0), (27,))), "keep all elements"),
        (_with(2, kind=Permute((9, 3), (1, 0), (26,)), shape=Shape((), 26)), "keep all elements"),
        (_softmax(Softmax(3, causal=True)), "shapes agree: causal over 9 queries and 3 keys"),
        (_softmax(Softmax(2, causal=False)), "shapes agree: groups of 2"),
        (_softmax(Softmax(0, causal=False)), "shapes agree: groups of 0"),
        (_layout(order=(0, 1, 1)), "every input has a layout"),
        (_layout(shape=(2, 4, 5)), "every input has a layout"),
        (_layout(node="conv1"), "every input has a layout"),
        (_output(node="nothing"), "every output has a layout"),
        (_output(view=(6,)), "every output has a layout"),
        (_output(shape=(4,)), "every output has a layout"),
        (lambda g: replace(g, outputs=()), "every output has a layout"),
    ],
)
def test_each_rule_refuses(change: Callable[[Graph], Graph], rule: str) -> None:
    with pytest.raises(IllegalGraph, match=rule):
        verify_imported(change(_graph()))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Conv((1, 1), (0, 0), (1, 1), 1), "pads needs 4 integers"),  # type: ignore[arg-type]
        (lambda: Conv((1,), (0, 0, 0, 0), (1, 1), 1), "need 2 integers"),  # type: ignore[arg-type]
        (lambda: Conv((1, 1), (0, 0, 0, 0), (1, 1), 0), "at least one group"),
        (lambda: MaxPool((2,), (1, 1), (0, 0, 0, 0), (1, 1), False), "kernel needs 2"),  # type: ignore[arg-type]
        (lambda: Pointwise("warp", 0.0), "'warp' is not one of"),
        (lambda: Clip(1.0, 1.0), "empty"),
        (lambda: LayerNorm(0.0), "not positive"),
        (lambda: MatMul(0, True), "at least one head"),
    ],
)
def test_illegal_attributes_make_no_kind(make: Callable[[], Kind], problem: str) -> None:
    with pytest.raises(IllegalGraph, match=problem):
        make()
