"""Clamps disappear into the node that makes their input, where nothing else reads it."""

from __future__ import annotations

import time

import numpy as np

from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.arithmetic import Add
from hwgen.model.kinds.clamps import Clip
from hwgen.model.passes.fusion import fuse
from hwgen.model.shape import Shape
from tests.hwgen.networks import NetworkMaker


def graph_of(maker: NetworkMaker, output: str) -> Graph:
    features = maker.shape(output).features
    layout = OutputLayout(output, "y", (features,), (features,), (0,))
    return Graph(tuple(maker.nodes), (InputLayout(maker.nodes[0].name, "x", (4,), (0,)),), (layout,))


def test_a_chain_of_clamps_becomes_one_and_a_shared_tensor_stays() -> None:
    maker = NetworkMaker(np.random.default_rng(0))
    first = maker.linear(maker.input((), 4), 4)
    relu = maker.relu(first)
    low = maker.put(Clip(-1.0, 6.0), relu)
    second = maker.linear(low, 4)
    shared = maker.relu(second)
    groups = fuse(graph_of(maker, maker.add(second, shared)))
    assert [g.node.kind.name for g in groups] == ["input", "linear", "linear", "relu", "add"]
    assert (groups[1].low, groups[1].high, groups[1].tensor, groups[1].non_negative) == (0.0, 6.0, low, True)
    assert (groups[2].low, groups[2].tensor, groups[2].non_negative) == (None, second, False)


def test_long_graphs_fuse_in_time() -> None:
    maker = NetworkMaker(np.random.default_rng(0))
    name = maker.input((), 4)
    for _ in range(6000):
        maker.nodes.append(Node(f"add{len(maker.nodes)}", Add(), (name, name), Shape((), 4)))
        name = maker.nodes[-1].name
    started = time.process_time()
    assert len(fuse(graph_of(maker, name))) == 6001
    assert time.process_time() - started < 1.0
