"""Partitioned designs never send more over a channel than it carries, and the search knows what a cut sends."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import IllegalGraph
from hwgen.hardware.design import Design
from hwgen.hardware.emit.signature import signature
from hwgen.hardware.operators.link import Link
from hwgen.hardware.platform import Platform, Topology
from hwgen.hardware.streams import Words
from hwgen.lowering import (
    Calibration,
    Lanes,
    Precision,
    cut_bits,
    cut_points,
    lane_choices,
    lower,
    precision_choices,
    quantize_graph,
)
from hwgen.numbers.formats import Format, IntFormat, quantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import SimulationOptions, simulate
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.networks import Sample, random_candidate, random_network

TOPOLOGIES: tuple[Topology, ...] = ("chain", "ring", "full")


def platform_of(topology: Topology, devices: int, bits_per_cycle: float, latency: int = 3) -> Platform:
    return Platform.connected(topology, [f"d{i}" for i in range(devices)], bits_per_cycle, latency, 1000)


def network(seed: int, devices: int) -> Sample:
    graph = transformer(seed, 6, 1) if seed % 3 == 0 else random_network(seed)
    return random_candidate(graph, seed, samples=4, devices=devices)


def partitioned(sample: Sample, platform: Platform) -> Design:
    return lower(sample.quantized, sample.lanes, sample.devices, platform)


def carried(design: Design, platform: Platform, interval: int) -> None:
    """Every hop is one channel, its links' rates fit it, and so do the bits of an inference in ``interval``."""
    rates: dict[tuple[int, int], Fraction] = {}
    for link in design.links:
        assert isinstance(link.operator, Link)
        hop = design.hop(link)
        rate = Fraction(link.operator.stream.payload_bits, link.operator.cycles_per_beat)
        rates[hop] = rates.get(hop, Fraction(0)) + rate
    assert rates.keys() == design.hop_bits.keys()
    for (source, target), rate in rates.items():
        (channel,) = platform.route(source, target)
        assert rate <= channel.bits_per_cycle
        assert design.hop_bits[source, target] <= channel.bits_per_cycle * interval


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 60), st.integers(2, 4), st.sampled_from(TOPOLOGIES), st.sampled_from([0.25, 1.0, 3.7, 8.0, 64.0]))
def test_no_hop_carries_more_than_its_channel(seed: int, devices: int, topology: Topology, bits: float) -> None:
    platform = platform_of(topology, devices, bits)
    design = partitioned(network(seed, devices), platform)
    carried(design, platform, max(i.operator.cycles().interval for i in design.instances))


@pytest.mark.parametrize(
    ("seed", "devices", "topology"), [(0, 3, "chain"), (1, 4, "ring"), (2, 2, "chain"), (5, 4, "full")]
)
def test_measured_intervals_are_no_shorter_than_the_channels_allow(
    seed: int, devices: int, topology: Topology, build_cache: BuildCache
) -> None:
    platform = platform_of(topology, devices, 2.0)
    sample = network(seed, devices)
    design = partitioned(sample, platform)
    assert design.links
    result = simulate(design, sample.inputs, build_cache, SimulationOptions(quiet_cycles=20_000))
    assert result.exact, result.deadlock or result.first_wrong
    assert result.interval_cycles == max(i.operator.cycles().interval for i in design.instances)
    carried(design, platform, result.interval_cycles)


def test_four_streams_over_one_link_have_the_interval_of_their_sum(build_cache: BuildCache) -> None:
    """An attention block cut before its third linear layer: x, its norm, q and k cross, 8,192 bits at 4 a cycle."""
    tokens, features, eight = 32, 8, IntFormat(8, True)
    graph = transformer(0, tokens, 1)
    plan = {
        name: Precision(eight if c.has_weight else None, Format.parse(c.fixed_activation or "int8"))
        for name, c in precision_choices(graph).items()
    }
    x = np.random.default_rng(0).normal(0, 1, (4, tokens, features)).astype(np.float32)
    quantized = quantize_graph(graph, plan, Calibration.collect(graph, {"input0": x}))
    units = cut_points(graph)
    linears = [unit for unit in units if unit.startswith("linear")]
    devices = {unit: int(index >= units.index(linears[2])) for index, unit in enumerate(units)}
    lanes = {n: Lanes(c.in_lanes[-1], c.out_lanes[-1]) for n, c in lane_choices(graph).items()}
    design = lower(quantized, lanes, devices, platform_of("chain", 2, 4.0))
    assert design.hop_bits == {(0, 1): 4 * tokens * features * 8}
    assert sum(isinstance(i.operator, Link) for i in design.instances) == 4
    words = {"input0": Words(quantize(x, quantized.by_name["input0"].format))}
    for stalls in ("none", "random"):
        result = simulate(design, words, build_cache, SimulationOptions(stalls, stalls, 1, quiet_cycles=20_000))
        assert result.exact, result.deadlock or result.first_wrong
        assert result.interval_cycles == 2048 or stalls == "random"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(2, 4), st.sampled_from(TOPOLOGIES))
def test_a_cut_costs_what_the_design_sends(seed: int, devices: int, topology: Topology) -> None:
    """In a chain exactly; elsewhere some words have shorter ways, and never does a channel carry more."""
    sample = network(seed, devices)
    units = cut_points(sample.graph)
    sent = partitioned(sample, platform_of(topology, devices, 8.0)).hop_bits
    bits = cut_bits(sample.quantized)
    assert len(bits) == len(units) and bits[0] == 0
    placed = [sample.devices[unit] for unit in units]
    over = {d: bits[next(i for i, p in enumerate(placed) if p > d)] for d in range(placed[0], placed[-1])}
    if topology == "chain":
        assert sent == {(d, d + 1): b for d, b in over.items() if b}
    else:
        assert max(sent.values(), default=0) <= max(over.values(), default=0)


def test_words_that_only_pass_a_device_share_its_channel_and_are_in_the_signature() -> None:
    sample = random_candidate(random_network(3), 3)
    units = cut_points(sample.graph)
    devices = {unit: 0 if index == 0 else 2 for index, unit in enumerate(units)}
    platform = platform_of("chain", 3, 4.0)
    design = partitioned(replace(sample, devices=devices), platform)
    assert set(design.hop_bits) == {(0, 1), (1, 2)} and len(set(design.hop_bits.values())) == 1
    ends = {(*link["from_devices"], *link["to_devices"]) for link in signature(design)["links"]}
    assert ends == {(0, 1), (1, 2)}


def test_a_partition_beyond_the_platform_is_refused() -> None:
    sample = random_candidate(random_network(3), 3)
    units = cut_points(sample.graph)
    devices = {unit: min(index, 2) for index, unit in enumerate(units)}
    with pytest.raises(IllegalGraph, match="names device 2, but the platform has 2 sites"):
        lower(sample.quantized, sample.lanes, devices, platform_of("chain", 2, 8.0))
    with pytest.raises(IllegalGraph, match="needs a platform"):
        lower(sample.quantized, sample.lanes, devices)
