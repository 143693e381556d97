"""Padding through lowering: exact words, formats that hold the constant, joins that do not block."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.operators import pad as hardware
from hwgen.lowering import lower
from hwgen.model.graph import Graph
from hwgen.model.kinds.pad import Pad
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import STALL_PATTERNS, SimulationOptions, simulate
from tests.hwgen.networks import NetworkMaker, random_candidate


def shifted_sum(axis: int, value: float) -> Graph:
    """``x`` padded at the front plus ``x`` padded at the back."""
    maker = NetworkMaker(np.random.default_rng(axis))
    x = maker.linear(maker.input((4, 3), 6), 6)
    front, back = maker.put(Pad(axis, 4, 0, value), x), maker.put(Pad(axis, 0, 4, value), x)
    return maker.graph(maker.linear(maker.add(front, back), 3))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("value", [0.0, 2.5])
def test_words_are_exact_and_the_fork_never_blocks(axis: int, value: float, build_cache: BuildCache) -> None:
    sample = random_candidate(shifted_sum(axis, value), axis, samples=4)
    design = lower(sample.quantized, sample.lanes, sample.devices)
    for stalls in STALL_PATTERNS:
        options = SimulationOptions(output_stalls=stalls, input_stalls=stalls, quiet_cycles=5_000)
        result = simulate(design, sample.inputs, build_cache, options)
        assert result.exact, result.deadlock or result.first_wrong


def test_zeros_keep_the_format_and_another_value_is_inside_its_own() -> None:
    for value in (0.0, 100.0):
        sample = random_candidate(shifted_sum(0, value), 0)
        for node in sample.quantized.nodes:
            if isinstance(node.node.kind, Pad):
                (source,) = sample.quantized.operands(node)
                assert isinstance(node.parts[-1].operator, hardware.Pad)
                word = int(node.contents["value"])
                assert abs(word * node.format.scale - value) <= max(node.format.scale, value / 100)
                assert value or node.format == source.format
