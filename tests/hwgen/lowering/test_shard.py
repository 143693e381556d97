"""Tensor parallelism: the words of one device, on every topology and under stalls, at the interval of the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hwgen.errors import IllegalGraph
from hwgen.hardware.design import Design, run_reference
from hwgen.hardware.platform import Platform, Topology
from hwgen.hardware.streams import Words
from hwgen.lowering import (
    Calibration,
    Lanes,
    Precision,
    lower,
    precision_choices,
    quantize_graph,
    shard_graph,
    tensor_groups,
)
from hwgen.model.graph import Graph
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.simulation.build import BuildCache
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import SimulationOptions, simulate
from tests.hwgen.lowering.test_attention import attention_block
from tests.hwgen.lowering.test_channels import carried, platform_of
from tests.hwgen.networks import NetworkMaker, Sample, random_candidate


def mlp() -> Graph:
    maker = NetworkMaker(np.random.default_rng(0))
    return maker.graph(maker.linear(maker.relu(maker.linear(maker.input((2,), 8), 8)), 6))


def attention() -> Graph:
    maker = NetworkMaker(np.random.default_rng(1))
    return maker.graph(attention_block(maker, maker.input((4,), 8), causal=True, heads=4))


def feed_forward() -> Graph:
    maker = NetworkMaker(np.random.default_rng(2))
    x = maker.input((2,), 8)
    return maker.graph(maker.add(x, maker.linear(maker.relu(maker.linear(x, 16)), 8)))


def lone() -> Graph:
    maker = NetworkMaker(np.random.default_rng(3))
    return maker.graph(maker.linear(maker.input((2,), 6), 8))


def vector() -> Graph:
    """Without a grid, and with an output whose channels have scales of their own."""
    maker = NetworkMaker(np.random.default_rng(4))
    return maker.graph(maker.linear(maker.relu(maker.linear(maker.input((), 8), 8)), 6))


NETWORKS: dict[str, Callable[[], Graph]] = {
    "mlp": mlp, "attention": attention, "feed-forward": feed_forward, "vector": vector,
    "lone": lone,
}  # fmt: skip


def sample_of(graph: Graph) -> Sample:
    found = random_candidate(graph, 3, samples=4)
    return Sample(found.graph, found.quantized, {name: Lanes(1, 1) for name in found.lanes}, {}, found.inputs)


def sharded(sample: Sample, ways: int, platform: Platform) -> Design:
    graph = shard_graph(sample.quantized, ways)
    places = {name: range(ways) for group in tensor_groups(sample.quantized, ways) for name in group.nodes}
    return lower(graph, sample.lanes, places, platform)


def words_of(design: Design, sample: Sample) -> dict[str, Words]:
    found = run_reference(design, sample.inputs)
    return {stream.name: found[stream.name] for stream in design.outputs}


@pytest.mark.parametrize("ways", [2, 4])
@pytest.mark.parametrize("name", NETWORKS)
def test_words_are_those_of_one_device(name: str, ways: int) -> None:
    sample = sample_of(NETWORKS[name]())
    single = lower(sample.quantized, sample.lanes, {})
    design = sharded(sample, ways, platform_of("full", ways, 16))
    expected, found = words_of(single, sample), words_of(design, sample)
    assert set(expected) == set(found)
    for stream, words in expected.items():
        np.testing.assert_array_equal(found[stream].elements, words.elements)
    assert len(design.devices) == ways
    assert {i.source for i in design.instances} <= {n.name for n in sample.graph.nodes}


@pytest.mark.parametrize("topology", ["full", "ring", "chain"])
@pytest.mark.parametrize(
    ("name", "ways"),
    [("mlp", 2), ("mlp", 4), ("attention", 2), ("attention", 4), ("feed-forward", 2), ("feed-forward", 4), ("lone", 2)],
)
def test_simulation_is_exact_on_every_topology(
    name: str, ways: int, topology: Topology, build_cache: BuildCache
) -> None:
    sample, platform = sample_of(NETWORKS[name]()), platform_of(topology, ways, 16)
    single = words_of(lower(sample.quantized, sample.lanes, {}), sample)
    design = sharded(sample, ways, platform)
    for stalls in ("none", "random"):
        options = SimulationOptions(output_stalls=stalls, input_stalls=stalls, quiet_cycles=20_000)
        result = simulate(design, sample.inputs, build_cache, options)
        assert result.exact, result.deadlock or result.first_wrong
        if stalls == "none":
            assert result.interval_cycles == max(i.operator.cycles().interval for i in design.instances)
            carried(design, platform, result.interval_cycles)
    found = words_of(design, sample)
    for stream, words in single.items():
        np.testing.assert_array_equal(found[stream].elements, words.elements)


def tensors_of(design: Design, sample: Sample) -> dict[str, Array]:
    """The words that each operator hands on, by the name of its instance: (samples, tokens, features)."""
    found = run_reference(design, sample.inputs)
    out = {i.name: design.out_of.get((i.name, "out")) for i in design.instances}
    return {name: found[stream.name].elements for name, stream in out.items() if stream is not None}


@pytest.mark.parametrize("ways", [2, 4])
@pytest.mark.parametrize("name", ["mlp", "attention", "feed-forward"])
def test_every_tensor_has_the_words_of_one_device(name: str, ways: int) -> None:
    """Tensors that are not split as they are; slices, side by side, make the whole one."""
    sample = sample_of(NETWORKS[name]())
    whole = tensors_of(lower(sample.quantized, sample.lanes, {}), sample)
    split = tensors_of(sharded(sample, ways, platform_of("full", ways, 16)), sample)
    (group,) = tensor_groups(sample.quantized, ways)
    compared = set()
    for node, words in whole.items():
        if node in group.slices:
            found = np.concatenate([split[f"{node}_s{i}"] for i in range(ways)], axis=-1)
        elif node in sample.quantized.by_name:
            found = split[node]
        else:
            continue  # forks and buffers hand on words of a node
        np.testing.assert_array_equal(found, words, err_msg=node)
        compared.add(node)
    assert compared >= {node.name for node in sample.quantized.nodes if node.parts and node.name in whole}
    assert {*group.nodes} <= compared


@pytest.mark.parametrize("name", ["mlp", "attention"])
def test_sign_off_of_a_sharded_design(name: str, build_cache: BuildCache) -> None:
    sample = sample_of(NETWORKS[name]())
    design = sharded(sample, 2, platform_of("ring", 2, 16))
    found = sign_off(design, sample.inputs, build_cache, SimulationOptions(output_stalls="random"))
    assert found.equal, found.difference


def test_sums_wider_than_a_stream_are_refused() -> None:
    maker = NetworkMaker(np.random.default_rng(5))
    graph = maker.graph(maker.linear(maker.linear(maker.input((), 8), 4), 2))
    plan = {name: Precision(IntFormat(16, True), IntFormat(16, True)) for name in precision_choices(graph)}
    inputs = {graph.inputs[0].node: np.ones((2, 8), np.float32)}
    quantized = quantize_graph(graph, plan, Calibration.collect(graph, inputs))
    with pytest.raises(IllegalGraph, match=r"partial sums need 3[3-9] bits"):
        shard_graph(quantized, 2)


def test_ways_that_divide_nothing_are_refused() -> None:
    with pytest.raises(IllegalGraph, match="can be split 7 ways"):
        shard_graph(sample_of(mlp()).quantized, 7)
