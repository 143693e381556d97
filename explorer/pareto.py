"""The Pareto front of a job and its hypervolume. Only complete trials that meet every constraint take part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import moocore
import numpy as np

from explorer.platform import platform_devices
from explorer.result import TrialResult
from explorer.spec import JobSpec, Objective

_BOUNDED = {"top1", "top5", "agreement"}
_DECADES = 12.0


def eligible(spec: JobSpec, result: TrialResult) -> bool:
    """Whether a result may be on the front: complete, feasible, and every objective measured."""
    return (
        result.state == "complete"
        and all(violation <= 0 for violation in result.constraints.values())
        and all(o.metric in result.metrics for o in spec.objectives)
    )


def losses(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> list[float]:
    """Objective values with the sign that makes smaller better."""
    return [metrics[o.metric] if o.direction == "minimize" else -metrics[o.metric] for o in objectives]


def pareto_front(spec: JobSpec, results: Sequence[TrialResult]) -> list[int]:
    """Indices into ``results`` of the feasible non-dominated complete trials, ascending; equal points all count."""
    indices = [i for i, result in enumerate(results) if eligible(spec, result)]
    if not indices:
        return []
    points = np.array([losses(spec.objectives, results[i].metrics) for i in indices])
    unique, inverse = np.unique(points, axis=0, return_inverse=True)
    kept = moocore.is_nondominated(unique)[inverse.ravel()]
    return [i for i, keep in zip(indices, kept, strict=True) if keep]


def hypervolume(spec: JobSpec, results: Sequence[TrialResult]) -> float:
    """Share of objective space that the results dominate, in [0, 1].

    Objectives are mapped to [0, 1] by fixed monotone scales (``scaled_loss``) that depend on the specification alone,
    so the figure never falls during a job and compares jobs of equal specification.
    """
    front = pareto_front(spec, results)
    if not front:
        return 0.0
    points = np.array([[scaled_loss(spec, o, results[i].metrics[o.metric]) for o in spec.objectives] for i in front])
    return float(moocore.hypervolume(points, ref=np.ones(points.shape[1])))


def scaled_loss(spec: JobSpec, objective: Objective, value: float) -> float:
    """An objective value in [0, 1], 0 is best.

    Quality shares are linear; resources are logarithmic up to the platform's, other figures over twelve decades.
    """
    if objective.metric in ("accuracy", "float_accuracy") and _is_share(spec, objective):
        share = (value + 1) / 2 if spec.metric == "cosine" else value
    elif objective.metric.startswith("est_") and (capacity := _capacity(spec, objective.metric[4:])) > 0:
        share = math.log1p(max(value, 0.0)) / math.log1p(capacity)
    else:
        share = math.log10(1 + max(value, 0.0)) / _DECADES
    share = min(max(share, 0.0), 1.0)
    return share if objective.direction == "minimize" else 1 - share


def _is_share(spec: JobSpec, objective: Objective) -> bool:
    """Whether the quality metric is bounded by 1. A default one is, unless it is minimised: then it is an error."""
    if spec.metric is None:
        return objective.direction == "maximize"
    return spec.metric in (*_BOUNDED, "cosine")


def _capacity(spec: JobSpec, resource: str) -> float:
    return sum(device.capacity().get(resource, 0.0) for device in platform_devices(spec.platform))
