"""The rungs in their order, and the climb over them.

A rung that finds a violated constraint ends the climb: the candidate is infeasible, with the amounts. A simulation that
is not exact is our defect and raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from explorer.result import Stage
from explorer.rungs.estimation import Estimation
from explorer.rungs.judgement import Judgement
from explorer.rungs.legality import Legality
from explorer.rungs.records import Records
from explorer.rungs.rung import Climb, Findings, Rung
from explorer.rungs.simulation import Build, Simulation

LADDER: tuple[Rung, ...] = (Legality(), Estimation(), Judgement(), Build(), Simulation())


def climb_ladder(
    climb: Climb, records: Records, on_stage: Callable[[str], None], ladder: Sequence[Rung] = LADDER
) -> tuple[str | None, tuple[Stage, ...]]:
    """Climb until a rung finds the candidate infeasible.

    Args:
        climb: the candidate; it takes in what the rungs find.
        records: findings of earlier climbs.
        on_stage: told the name of each rung when it begins.
        ladder: the rungs.

    Returns:
        Why the candidate is infeasible, None for a complete one; and the rungs that ran, with their times.
    """
    stages: list[Stage] = []
    for rung in ladder:
        on_stage(rung.name)
        start = time.perf_counter()
        found, known = _ask(rung, climb, records)
        stages.append(Stage(rung.name, round(time.perf_counter() - start, 6), known or found.cached))
        if reason := climb.take(found):
            return reason, tuple(stages)
    return None, tuple(stages)


def _ask(rung: Rung, climb: Climb, records: Records) -> tuple[Findings, bool]:
    """What a rung finds, and whether it was on record."""
    key = rung.key(climb)
    if key is None:
        return rung.run(climb), False
    found = records.get(rung.name, key)
    if found is None:
        found = rung.run(climb)
        records.put(rung.name, key, found)
        return found, False
    return found, True
