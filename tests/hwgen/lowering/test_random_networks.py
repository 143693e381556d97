"""Random networks: exact in composed simulation, and equal to the whole design cycle by cycle."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.design import run_reference
from hwgen.hardware.platform import Platform
from hwgen.lowering import lower
from hwgen.simulation.build import BuildCache
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import SimulationOptions, simulate
from tests.hwgen.networks import random_candidate, random_network

PLATFORM = Platform.connected("chain", ("left", "right"), bandwidth_gbps=10, latency_ns=40, clock_mhz=300)


@pytest.mark.parametrize("seed", range(4))
def test_devices_and_lanes_do_not_change_words(seed: int, build_cache: BuildCache) -> None:
    graph = random_network(seed)
    one = random_candidate(graph, seed)
    two = random_candidate(graph, seed, devices=2)
    words = []
    for sample in (one, two):
        design = lower(sample.quantized, sample.lanes, sample.devices, PLATFORM)
        result = simulate(design, sample.inputs, build_cache, SimulationOptions(output_stalls="random", seed=seed))
        assert result.exact, result.deadlock or result.first_wrong
        words.append(run_reference(design, sample.inputs)["output0"].elements)
    assert np.array_equal(*words)


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(s, marks=pytest.mark.slow) for s in range(2, 20))])
def test_composed_equals_monolithic(seed: int, build_cache: BuildCache) -> None:
    sample = random_candidate(random_network(seed), seed, devices=2)
    design = lower(sample.quantized, sample.lanes, sample.devices, PLATFORM)
    result = sign_off(design, sample.inputs, build_cache, SimulationOptions("random", "random", seed))
    assert result.equal, result.difference or result.composed.first_wrong or result.composed.deadlock
