"""Constants joined with activations along the tokens (class tokens): every word exact, wherever the constant stands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hwgen.hardware.design import Design, run_reference
from hwgen.hardware.streams import Words
from hwgen.lowering import Lanes, lower
from hwgen.model.graph import Graph
from hwgen.model.kinds.concat import Concat
from hwgen.model.kinds.sources import Constant
from hwgen.simulation.build import BuildCache
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import STALL_PATTERNS, SimulationOptions, simulate
from tests.hwgen.networks import NetworkMaker, Sample, random_candidate

FEATURES = 6
PLACES = {"first": "cx", "middle": "xcx", "last": "xc", "two first": "ccx", "both ends": "cxc"}


def joined_tokens(order: str) -> Graph:
    """Constants (``c``) and images of the input (``x``) joined along the tokens, then read token by token."""
    maker = NetworkMaker(np.random.default_rng(len(order)))
    x = maker.input((4,), FEATURES)
    parts = [constant(maker) if letter == "c" else maker.linear(x, FEATURES) for letter in order]
    joined = maker.put(Concat(0), *parts)
    return maker.graph(maker.linear(maker.relu(joined), 4))


def constant(maker: NetworkMaker) -> str:
    return maker.put(Constant(), value=maker.normal(1, FEATURES))


def with_lanes(sample: Sample, lanes: int) -> Design:
    chosen = {name: Lanes(lanes, min(lanes, 4)) for name in sample.lanes}
    return lower(sample.quantized, chosen, {})


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("place", PLACES)
def test_every_word_is_exact(place: str, lanes: int, build_cache: BuildCache) -> None:
    sample = random_candidate(joined_tokens(PLACES[place]), seed=3)
    design = with_lanes(sample, lanes)
    expected = run_reference(design, sample.inputs)
    outputs = sum(expected[s.name].elements.size for s in design.outputs)
    for stalls in STALL_PATTERNS:
        options = SimulationOptions(output_stalls=stalls, input_stalls=stalls, quiet_cycles=5_000)
        result = simulate(design, sample.inputs, build_cache, options)
        assert result.exact, result.deadlock or result.first_wrong
        assert result.compared_words == outputs


def test_the_whole_design_in_one_model_runs_ahead_alike(build_cache: BuildCache) -> None:
    sample = random_candidate(joined_tokens("cx"), seed=3)
    result = sign_off(with_lanes(sample, 2), sample.inputs, build_cache, SimulationOptions("random", "random", 1))
    assert result.equal, result.difference


def test_only_what_a_constant_begins_may_run_ahead() -> None:
    first, last = (with_lanes(random_candidate(joined_tokens(order), seed=3), 1) for order in ("cx", "xc"))
    assert {s.name for s in first.outputs} <= first.ahead - first.endless
    assert last.ahead == last.endless


def test_a_beat_ahead_that_depends_on_the_inputs_is_noticed(build_cache: BuildCache) -> None:
    """With one expected sample fewer, the surplus tokens of the last are computed from inputs."""
    sample = random_candidate(joined_tokens("cx"), seed=3)
    design = with_lanes(sample, 1)
    expected = run_reference(design, sample.inputs)
    (output,) = design.outputs
    fewer = {
        **expected,
        output.name: dataclasses.replace(expected[output.name], elements=expected[output.name].elements[:-1]),
    }
    assert isinstance(fewer[output.name], Words)
    result = simulate(design, sample.inputs, build_cache, expected=fewer)
    assert not result.exact
    assert result.first_wrong is not None and result.first_wrong.kind == "framing"
