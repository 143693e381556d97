"""Every rule of the legality table refuses a graph that breaks it, and accepts the graph that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import IllegalGraph
from hwgen.model.graph import Graph, InputLayout, Node, Op, OutputLayout, Shape
from hwgen.model.verify import verify_imported


def _graph() -> Graph:
    """input (4, 4, 2) → conv → reshape → linear."""
    conv = {"weight": np.ones((3, 2, 2, 2), np.float32), "bias": np.zeros(3, np.float32)}
    linear = {"weight": np.ones((5, 27), np.float32), "bias": np.zeros(5, np.float32)}
    window = {"strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 1}
    nodes = (
        Node("input1", Op.INPUT, (), Shape((4, 4), 2)),
        Node("conv1", Op.CONV, ("input1",), Shape((3, 3), 3), window, conv),
        Node("reshape1", Op.RESHAPE, ("conv1",), Shape((), 27)),
        Node("linear1", Op.LINEAR, ("reshape1",), Shape((), 5), {}, linear),
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


def _constants(index: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        return _with(index, constants={**graph.nodes[index].constants, **changes})(graph)

    return change


def _attributes(index: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        return _with(index, attributes={**graph.nodes[index].attributes, **changes})(graph)

    return change


_POINTWISE = {"op": Op.POINTWISE, "inputs": ("conv1",), "shape": Shape((3, 3), 3), "constants": {}}


def test_legal_graph_passes_and_survives_its_file(tmp_path: Path) -> None:
    verify_imported(_graph())
    _graph().save(tmp_path / "g.npz")
    again = Graph.load(tmp_path / "g.npz")
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
        (_with(1, attributes={}), "have their attributes"),
        (_attributes(3, extra=1), "have their attributes"),
        (_with(3, constants={}), "have their constants"),
        (_constants(3, bias=np.zeros(5)), "have their constants"),
        (_constants(3, bias=np.full(5, np.nan, np.float32)), "have their constants"),
        (_constants(3, bias=np.zeros(4, np.float32)), "shapes agree"),
        (_constants(3, weight=np.ones((5, 26), np.float32)), "shapes agree"),
        (_with(1, shape=Shape((3, 3), 4)), "shapes agree"),
        (_with(1, shape=Shape((0, 3), 3)), "shapes agree"),
        (_attributes(1, strides=(2, 2)), "shapes agree"),
        (_attributes(1, strides=(0, 1)), "shapes agree"),
        (_attributes(1, groups=2), "shapes agree"),
        (_attributes(1, pads=(0, 0)), "shapes agree"),
        (_with(2, shape=Shape((), 26)), "keep all elements"),
        (_with(2, op=Op.PERMUTE, attributes={"view": (9, 3), "order": (0, 0)}), "keep all elements"),
        (_with(2, op=Op.PERMUTE, attributes={"view": (9, 2), "order": (1, 0)}), "keep all elements"),
        (_with(2, **_POINTWISE, attributes={"function": "warp", "alpha": 0.0}), "in range"),
        (_with(2, **{**_POINTWISE, "op": Op.CLIP}, attributes={"low": 1.0, "high": 1.0}), "in range"),
        (_with(2, **{**_POINTWISE, "op": Op.SOFTMAX}, attributes={"size": 3, "causal": True}), "in range"),
        (_with(2, **{**_POINTWISE, "op": Op.SOFTMAX}, attributes={"size": 2, "causal": False}), "shapes agree"),
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
