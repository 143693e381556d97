"""Architectures of timm and torchvision with random weights: none is wrong, few are refused, and each has hardware."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.design import run_reference
from hwgen.model.load import import_file
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import simulate
from tests.models.architectures import (
    PAGE,
    Architecture,
    Outcome,
    architectures,
    largest_difference,
    onnx_file,
    outcome,
    page,
)
from tests.models.candidate import Plan, candidate, graph_inputs, input_words

ACCEPTED = 66
PLAN = Plan("int8", "int8", 4)
CALIBRATION_SAMPLES = 4


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [outcome(a) for a in architectures()]


@pytest.mark.slow
def test_none_is_wrong_and_those_marked_so_are_accepted(outcomes: list[Outcome]) -> None:
    assert not [(o.architecture.name, o.difference) for o in outcomes if o.state == "wrong"]
    accepted = [o.architecture.name for o in outcomes if o.state == "equal"]
    assert accepted == [a.name for a in architectures() if a.accepted]
    assert (len(outcomes), len(accepted)) == (79, ACCEPTED)


@pytest.mark.slow
def test_the_page_is_up_to_date(outcomes: list[Outcome]) -> None:
    assert page(outcomes) == PAGE.read_text("utf-8"), "run `python -m tests.models.architectures`"


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [a for a in architectures() if a.accepted], ids=lambda a: str(a.name))
def test_one_candidate_is_exact(architecture: Architecture, build_cache: BuildCache) -> None:
    graph = import_file(onnx_file(architecture)).graph
    samples = np.random.default_rng(0).normal(size=(CALIBRATION_SAMPLES, *architecture.input))
    inputs = graph_inputs(graph, samples.astype(np.float32))
    design = candidate(graph, PLAN, inputs)
    words = input_words(design, {name: array[:1] for name, array in inputs.items()})
    measured = simulate(design, words, build_cache, expected=run_reference(design, words))
    assert measured.exact, measured.deadlock or measured.first_wrong
    assert measured.compared_words > 0


def test_a_difference_is_noticed() -> None:
    expected = [np.array([[1.0, -4.0]])]
    assert largest_difference([np.array([[1.0, -4.0]])], expected) == 0.0
    assert largest_difference([np.array([[1.0, -3.0]])], expected) == 0.25
    assert largest_difference([np.array([[np.nan, -4.0]])], expected) == np.inf
