"""The front of a search and the volume it dominates."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.result import TrialResult
from explorer.spec import JobSpec


def pareto_front(spec: JobSpec, results: Sequence[TrialResult]) -> list[int]:
    """Indices of the feasible, complete, non-dominated results, ascending; of equal ones the first."""
    usable = [i for i, result in enumerate(results) if _feasible(spec, result)]
    if not usable:
        return []
    points = _costs(spec, [results[i] for i in usable])
    return [i for i, kept in zip(usable, moocore.is_nondominated(points, keep_weakly=False), strict=True) if kept]


def hypervolume(spec: JobSpec, results: Sequence[TrialResult]) -> float:
    """Volume between the front and the worst values seen, in the product of the objectives' units.

    The reference point is the worst value per objective over all complete results, feasible or not, so the
    volume never shrinks while a search goes on.
    """
    front = pareto_front(spec, results)
    if not front:
        return 0.0
    measured = [r for r in results if r.state == "complete" and _has_objectives(spec, r)]
    reference = _costs(spec, measured).max(axis=0)
    return float(moocore.hypervolume(_costs(spec, [results[i] for i in front]), ref=reference))


def _feasible(spec: JobSpec, result: TrialResult) -> bool:
    met = all(violation <= 0 for violation in result.constraints.values())
    return result.state == "complete" and met and _has_objectives(spec, result)


def _has_objectives(spec: JobSpec, result: TrialResult) -> bool:
    return all(objective.metric in result.metrics for objective in spec.objectives)


def _costs(spec: JobSpec, results: Sequence[TrialResult]) -> NDArray[np.float64]:
    """(results, objectives), every column to be minimised."""
    signs = [-1.0 if objective.direction == "maximize" else 1.0 for objective in spec.objectives]
    rows = [
        [sign * result.metrics[objective.metric] for sign, objective in zip(signs, spec.objectives, strict=True)]
        for result in results
    ]
    return np.array(rows, dtype=np.float64)
