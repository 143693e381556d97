"""Timing is data-independent, and operators that sleep change nothing but the time that a simulation takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest

from hwgen.hardware.design import Design
from hwgen.hardware.platform import Platform
from hwgen.hardware.streams import Words
from hwgen.lowering import Lanes, lower
from hwgen.model.graph import Graph
from hwgen.numbers.arrays import Array
from hwgen.simulation.build import BuildCache
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.simulate import STALL_PATTERNS, SimulationOptions, simulate
from tests.hwgen.conformance import registry
from tests.hwgen.conformance.case import Case
from tests.hwgen.conformance.runner import simulate_case
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.networks import NetworkMaker, Sample, random_candidate, random_network

PLATFORM = Platform.connected("chain", ("left", "right"), bandwidth_gbps=10, latency_ns=40, clock_mhz=300)


def small_cnn() -> Graph:
    maker = NetworkMaker(np.random.default_rng(0))
    x = maker.relu(maker.conv(maker.input((6, 6), 2), 4, (3, 3)))
    x = maker.add(x, maker.conv(maker.relu(maker.conv(x, 4, (3, 3))), 4, (3, 3)))
    return maker.graph(maker.linear(maker.flatten(maker.conv(x, 6, (3, 3), stride=2)), 3))


NETWORKS = {
    **{f"random {seed}": (lambda seed=seed: random_network(seed), seed) for seed in range(2)},
    "transformer block": (lambda: transformer(0, 20, 1), 0),
    "convolutions": (small_cnn, 0),
}


@pytest.fixture(scope="module", params=NETWORKS)
def sample(request: pytest.FixtureRequest) -> Sample:
    graph, seed = NETWORKS[request.param]
    return random_candidate(graph(), seed, devices=2)


@pytest.fixture
def design(sample: Sample) -> Design:
    return lower(sample.quantized, sample.lanes, sample.devices, PLATFORM)


def timing(measured: Measurement) -> dict[str, object]:
    """Everything about a measurement but the words; the hashes in it cover the cycle of every transfer."""
    assert measured.exact, measured.deadlock or measured.first_wrong
    names = ("samples", "total_cycles", "latency_cycles", "interval_cycles", "activity", "transfers", "timing")
    return {name: getattr(measured, name) for name in names}


def other_words(inputs: Mapping[str, Words]) -> dict[str, Words]:
    return {name: Words(np.flip(words.elements).copy()) for name, words in inputs.items()}


def other_weights(design: Design) -> Design:
    """Every row of every weight reversed: other products, and no sum that could be larger than before."""

    def contents(old: Mapping[str, Array]) -> dict[str, Array]:
        return {name: np.flip(value, -1).copy() if name == "weight" else value for name, value in old.items()}

    return replace(design, instances=tuple(replace(i, contents=contents(i.contents)) for i in design.instances))


@pytest.mark.parametrize("stalls", STALL_PATTERNS)
def test_no_cycle_of_a_design_depends_on_data(
    sample: Sample, design: Design, stalls: str, build_cache: BuildCache
) -> None:
    options = SimulationOptions(stalls, stalls, seed=7)
    first = simulate(design, sample.inputs, build_cache, options)
    inputs = simulate(design, other_words(sample.inputs), build_cache, options)
    weights = simulate(other_weights(design), sample.inputs, build_cache, options)
    assert timing(inputs) == timing(first)
    assert timing(weights) == timing(first)
    if stalls != "none":
        assert timing(simulate(design, sample.inputs, build_cache, replace(options, seed=8))) != timing(first)


def twins(operator: str) -> Iterator[tuple[Case, Case]]:
    """Equal operators with other inputs and other constants."""
    drawn = zip(
        registry.cases(operator, "quick"), registry.cases(operator, "quick", np.random.default_rng(1)), strict=True
    )
    return ((a, b) for a, b in drawn if a.operator == b.operator)


@pytest.mark.parametrize("operator", registry.OPERATORS)
def test_no_cycle_of_an_operator_depends_on_data(operator: str, build_cache: BuildCache) -> None:
    pairs = list(twins(operator))
    assert pairs
    build_cache.operators([case.operator for case, _ in pairs])
    for a, b in pairs:
        for stalls in STALL_PATTERNS:
            first, second = (timing(simulate_case(case, build_cache, stalls)) for case in (a, b))
            assert first == second, f"{a} under {stalls}"


@pytest.mark.parametrize("stalls", STALL_PATTERNS)
def test_sleeping_operators_change_nothing(
    sample: Sample, design: Design, stalls: str, build_cache: BuildCache
) -> None:
    options = SimulationOptions(stalls, stalls, seed=3)
    asleep, whole, awake = (
        simulate(design, sample.inputs, build_cache, replace(options, sleep=sleep))
        for sleep in ("registers", "memories", "never")
    )
    assert asleep == whole == awake and awake.exact
    # Arrays inside functions hold anything until their first use, and with it they may keep an operator awake once.
    assert abs(asleep.clocked_cycles - whole.clocked_cycles) <= len(design.instances)
    assert asleep.clocked_cycles < awake.clocked_cycles == (awake.total_cycles + 1) * len(design.instances)


@pytest.mark.parametrize("operator", registry.OPERATORS)
def test_a_memory_changes_only_when_a_register_does(operator: str, build_cache: BuildCache) -> None:
    """So an operator whose registers a clock left as they were is one that the next clock leaves as it is."""
    cases = list(registry.cases(operator, "quick"))
    build_cache.operators([case.operator for case in cases])
    for case in cases:
        for stalls in STALL_PATTERNS:
            asleep, whole, awake = (
                simulate_case(case, build_cache, stalls, sleep) for sleep in ("registers", "memories", "never")
            )
            assert asleep == whole == awake, f"{case} under {stalls}"
            assert asleep.clocked_cycles == whole.clocked_cycles, f"{case} under {stalls}"


def test_a_design_that_waits_is_hardly_clocked(build_cache: BuildCache) -> None:
    """One of its operators is slow, so that the others wait for it; simulating them must not cost as much."""
    sample = random_candidate(small_cnn(), 0)
    design = lower(sample.quantized, dict.fromkeys(sample.lanes, Lanes(1, 1)), {})
    measured = simulate(design, sample.inputs, build_cache)
    assert measured.exact
    assert measured.clocked_cycles < 0.4 * measured.total_cycles * len(design.instances)
