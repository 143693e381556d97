"""Repeated blocks: found in the graph, decided once, split where a candidate wants it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from explorer.choices import build_encoding
from explorer.encoding import Encoding
from explorer.search import Search
from explorer.spec import JobSpec, SpaceSpec
from hwgen.model.graph import Graph
from hwgen.model.regions import layer_regions
from tests.explorer.graphs import mlp
from tests.hwgen.lowering.test_buffers import transformer_layers
from tests.hwgen.networks import NetworkMaker

SPEC = JobSpec(model="m", space=SpaceSpec(weight_bits=(4, 6, 8), activation_bits=(4, 6, 8)))


def encoding(graph: Graph) -> Encoding:
    return build_encoding(SPEC, graph)


@pytest.mark.parametrize("layers", [2, 3, 32])
def test_layers_of_a_transformer_are_one_region(layers: int) -> None:
    graph = transformer_layers(layers)
    (region,) = layer_regions(graph)
    assert (region.axis, region.count, len(region.carried)) == ("layer", layers, 1)
    inside = {name for copy in region.copies for name in copy}
    outside = [node.name for node in graph.nodes if node.name not in inside]
    assert len(outside) == 2  # the input, and the layer behind the blocks
    for copy in region.copies:
        for mine, model in zip(copy, region.body, strict=True):
            assert graph.node(mine).kind == graph.node(model).kind
            assert graph.node(mine).shape == graph.node(model).shape


def test_unlike_layers_are_no_region() -> None:
    assert layer_regions(mlp((4, 5, 6, 7))) == ()


def test_a_block_that_reads_another_way_ends_the_region() -> None:
    """Three equal blocks by their nodes, but the third one reads the first one's output twice."""
    maker = NetworkMaker(np.random.default_rng(0))
    x = first = maker.input((4,), 6)
    for block in range(4):
        other = first if block == 3 else x
        x = maker.add(maker.relu(maker.linear(x, 6)), other)
        first = x if block == 0 else first
    (region,) = layer_regions(maker.graph(maker.linear(x, 2)))
    assert region.count == 3


def test_32_layers_are_searched_in_as_many_dimensions_as_three() -> None:
    many, three = encoding(transformer_layers(32)), encoding(transformer_layers(3))
    assert len(many.box) == len(three.box) <= 60


def test_points_and_candidates_of_a_region_agree_in_both_directions() -> None:
    made = encoding(transformer_layers(3))
    draw = random.Random(1)
    for _ in range(200):
        point = {name: draw.randint(low, high) for name, (low, high) in made.box.items()}
        candidate = made.decode(point)
        assert made.space.contains(candidate) is None
        found = made.encode(candidate)
        assert found is not None and made.decode(found) == candidate


def test_copies_follow_their_leader_up_to_the_split() -> None:
    made = encoding(transformer_layers(4))
    (region,) = made.space.regions
    leader = next(name for name in region.copies[0] if name.startswith("linear"))
    names = (leader, *region.followers(leader))
    point = {f"weight:{leader}": 1, f"activation:{leader}": 1, f"split:{region.name}": 1, f"step:{region.name}": 1}
    formats = [made.decode(point).quantization[name].weight for name in names]
    assert formats == ["int6", "int6", "int8", "int8"]
    lanes = {made.decode(point).parallelism[name] for name in names}
    assert len(lanes) == 1


def test_a_search_over_a_deep_model_proposes_legal_candidates() -> None:
    made = encoding(transformer_layers(32))
    search = Search.over(SPEC, made)
    for _ in range(20):
        candidate = search.ask()
        assert candidate is not None
        assert made.space.contains(candidate) is None
