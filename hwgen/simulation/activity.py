"""What each operator did when: the simulator's account of its cycles in windows of time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STATES = ("busy", "blocked", "starved", "idle")


@dataclass(frozen=True)
class OperatorTrace:
    """One operator: in each window of time, its cycles by state, in the order of ``STATES``.

    Attributes:
        cycles_per_window: a power of two; all operators of a simulation have the same.
        windows: from the first cycle on; all zero behind the last cycle.
    """

    cycles_per_window: int
    windows: Sequence[Sequence[int]]


def read_activity(path: Path) -> dict[str, OperatorTrace]:
    """Per instance, what a simulation with ``SimulationOptions.activity`` wrote to ``path``."""
    found = json.loads(path.read_text())
    return {name: OperatorTrace(each["cycles_per_window"], each["windows"]) for name, each in found.items()}
