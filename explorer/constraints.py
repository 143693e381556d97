"""Constraints of a job as named violations, and the scale on which samplers compare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from explorer.platform import platform_devices
from explorer.result import TrialResult
from explorer.spec import JobSpec

_LARGEST = 1e6


def constraint_names(spec: JobSpec) -> tuple[str, ...]:
    """One name per constraint: its metric, with a number where a metric has several."""
    seen: dict[str, int] = {}
    names = []
    for constraint in spec.constraints:
        seen[constraint.metric] = seen.get(constraint.metric, 0) + 1
        count = seen[constraint.metric]
        names.append(constraint.metric if count == 1 else f"{constraint.metric}_{count}")
    return tuple(names)


def violations(spec: JobSpec, metrics: Mapping[str, float]) -> dict[str, float]:
    """Violation of every constraint whose metric is known, in the metric's unit; zero or less is met."""
    pairs = zip(constraint_names(spec), spec.constraints, strict=True)
    return {name: c.violation(metrics[c.metric]) for name, c in pairs if c.metric in metrics}


def certain_violations(spec: JobSpec, bounds: Mapping[str, float]) -> dict[str, float]:
    """Violations that optimistic bounds of metrics already show.

    Args:
        spec: the job.
        bounds: least possible cycles, nanoseconds and energy, greatest possible throughput.
    """
    found = {}
    for name, constraint in zip(constraint_names(spec), spec.constraints, strict=True):
        if constraint.metric in bounds:
            most = constraint.metric == "throughput_per_s"
            sound = replace(constraint, max=None) if most else replace(constraint, min=None)
            if sound.min is not None or sound.max is not None:
                found[name] = sound.violation(bounds[constraint.metric])
    return {name: value for name, value in found.items() if value > 0}


def told_violations(spec: JobSpec, result: TrialResult) -> dict[str, float]:
    """Violations as a sampler is told them: relative to the bound or the capacity, finite, positive if infeasible.

    Samplers add up violations, so a thousand LUTs too many must not outweigh an accuracy that is far too low.
    """
    scales = _scales(spec)
    told = {}
    for name, value in result.constraints.items():
        relative = value / scales.get(name, max(1.0, abs(value)))
        told[name] = min(max(relative, -_LARGEST), _LARGEST)
    if result.state == "infeasible" and not any(v > 0 for v in told.values()):
        told["infeasible"] = 1.0
    return told


def _scales(spec: JobSpec) -> dict[str, float]:
    scales: dict[str, float] = {}
    for name, constraint in zip(constraint_names(spec), spec.constraints, strict=True):
        bounds = [abs(b) for b in (constraint.min, constraint.max) if b]
        scales[name] = max(bounds, default=1.0)
    for index, device in enumerate(platform_devices(spec.platform)):
        scales |= {device_constraint(index, r): max(1.0, c) for r, c in device.capacity().items()}
    return scales


def device_constraint(index: int, resource: str) -> str:
    """Name of the constraint that a device's resource is large enough."""
    return f"device{index}_{resource}"
