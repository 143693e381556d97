from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hwgen.simulation.build import BuildCache
from tests.hwgen.conformance import fingerprints, registry
from tests.hwgen.conformance.case import Level, Mutation
from tests.hwgen.conformance.runner import check_cases, detects, plant

LEVELS = ["quick", pytest.param("full", marks=pytest.mark.slow)]
PLANTED = [
    pytest.param(
        name,
        mutation,
        id=f"{name}: {mutation.what}",
        marks=[pytest.mark.planted, *([pytest.mark.slow] if index else [])],
    )
    for name in registry.OPERATORS
    for index, mutation in enumerate(registry.mutations(name))
]


@pytest.mark.parametrize("operator", registry.OPERATORS)
@pytest.mark.parametrize("level", LEVELS)
def test_words_and_cycles(
    operator: str,
    level: Level,
    build_cache: BuildCache,
    record_property: Callable[[str, Any], None],
    request: pytest.FixtureRequest,
) -> None:
    totals = check_cases(operator, registry.cases(operator, level), build_cache)
    record_property("conformance", asdict(totals) | {"level": level})
    assert totals.compared_words > 0
    assert not totals.failures, f"{len(totals.failures)} failures, first:\n" + "\n".join(totals.failures[:5])
    if not request.config.getoption("--record-fingerprints"):
        assert totals.fingerprints == fingerprints.stored(operator, level)


@pytest.mark.parametrize(("operator", "mutation"), PLANTED)
def test_planted_fault_is_detected(
    operator: str,
    mutation: Mutation,
    tmp_path: Path,
    cache_directory: Path,
    record_property: Callable[[str, Any], None],
) -> None:
    record_property("mutation", operator)
    faulty = BuildCache(cache_directory, plant(mutation, tmp_path))
    assert detects(mutation, registry.cases(operator, "quick"), faulty)


def test_every_operator_has_a_planted_fault() -> None:
    assert registry.OPERATORS
    assert [name for name in registry.OPERATORS if not registry.mutations(name)] == []


@pytest.mark.parametrize("operator", registry.OPERATORS)
def test_planted_faults_match_the_library(operator: str, tmp_path: Path) -> None:
    """The text that each of them replaces occurs once: it is the slow suite that compiles them all."""
    for index, mutation in enumerate(registry.mutations(operator)):
        plant(mutation, tmp_path / str(index))
