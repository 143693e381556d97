"""The conformance files of all operators, found by their name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.hwgen.conformance.case import Case, Level, Mutation

PREFIX = "cases_"
OPERATORS = tuple(sorted(p.stem.removeprefix(PREFIX) for p in Path(__file__).parent.glob(f"{PREFIX}*.py")))


def cases(operator: str, level: Level, rng: np.random.Generator | None = None) -> Iterator[Case]:
    """The cases of one operator: the same ones on every machine, or as ``rng`` draws them."""
    module = importlib.import_module(f"{__package__}.{PREFIX}{operator}")
    yield from module.cases(rng or np.random.default_rng(20_230_715), level)


def mutations(operator: str) -> tuple[Mutation, ...]:
    """The planted faults of one operator."""
    module = importlib.import_module(f"{__package__}.{PREFIX}{operator}")
    planted: tuple[Mutation, ...] = module.MUTATIONS
    return planted
