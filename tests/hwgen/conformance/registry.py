"""The conformance files of all operators, found by their name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from hwgen.hardware.pipeline import DEEPEST
from tests.hwgen.conformance.case import Case, Level, Mutation

PREFIX = "cases_"
STAGES = (DEEPEST, 0, 3)  # of operators whose arithmetic is a pipeline: each case with all of them, or one in turn
OPERATORS = tuple(sorted(p.stem.removeprefix(PREFIX) for p in Path(__file__).parent.glob(f"{PREFIX}*.py")))


def cases(operator: str, level: Level, rng: np.random.Generator | None = None) -> Iterator[Case]:
    """The cases of one operator: the same ones on every machine, or as ``rng`` draws them."""
    module = importlib.import_module(f"{__package__}.{PREFIX}{operator}")
    for index, case in enumerate(module.cases(rng or np.random.default_rng(20_230_715), level)):
        for stages in STAGES if level == "full" else STAGES[index % len(STAGES) :][:1]:
            if not hasattr(case.operator, "stages"):
                yield case
                break
            yield replace(case, operator=replace(case.operator, stages=stages))


def mutations(operator: str) -> tuple[Mutation, ...]:
    """The planted faults of one operator."""
    module = importlib.import_module(f"{__package__}.{PREFIX}{operator}")
    planted: tuple[Mutation, ...] = module.MUTATIONS
    return planted
