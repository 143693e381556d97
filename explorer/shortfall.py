"""Why a search found no feasible design: what stood in the way, and how near a candidate came to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from explorer.constraints import constraint_names, device_constraint, told_violations
from explorer.platform import platform_devices
from explorer.result import TrialResult
from explorer.spec import Constraint, JobSpec

Outcomes = Mapping[int, TrialResult]


@dataclass(frozen=True)
class Shortfall:
    """One constraint that was missed.

    Attributes:
        constraint: as a person writes it, such as ``accuracy >= 0.999``.
        metric: the metric that it bounds.
        best: the value nearest to the bound, in the metric's unit.
        number: the trial that reached it.
    """

    constraint: str
    metric: str
    best: float
    number: int

    def text(self) -> str:
        """One clause for a message."""
        return f"{self.constraint}: best {self.best:.6g} reached by trial {self.number}"


@dataclass(frozen=True)
class _Bound:
    """A named constraint, how far an outcome is beyond it, and the value that such an amount stands for."""

    text: str
    metric: str
    violation: Callable[[TrialResult], float | None]
    value: Callable[[TrialResult, float], float]


def shortfalls(spec: JobSpec, outcomes: Outcomes) -> list[Shortfall]:
    """What no candidate met; where each is met by some candidate, what the nearest candidate misses.

    Args:
        spec: the job.
        outcomes: trial number -> outcome, none of them feasible.

    Returns:
        Nothing when no constraint was measured: then the reasons of the trials say what is wrong.
    """
    bounds = _bounds(spec)
    found = [(bound, _violations(bound, outcomes)) for bound in bounds]
    never = [(bound, _least(measured)) for bound, measured in found if measured and min(measured.values()) > 0]
    missed = never or _missed_by_the_nearest(spec, outcomes, bounds)
    return [_shortfall(bound, number, outcomes[number]) for bound, number in missed]


def explain(spec: JobSpec, outcomes: Outcomes) -> str:
    """One sentence on why none of ``outcomes`` is a feasible design."""
    if not outcomes:
        return "no candidate was evaluated before the search ended: raise its budgets"
    found = shortfalls(spec, outcomes)
    if found:
        return f"none of {len(outcomes)} candidates is feasible: " + "; ".join(each.text() for each in found)
    complete = [outcome for outcome in outcomes.values() if outcome.state == "complete"]
    if complete:
        absent = [o.metric for o in spec.objectives if not any(o.metric in outcome.metrics for outcome in complete)]
        return f"none of {len(outcomes)} candidates has a value for every objective: {', '.join(absent)} not measured"
    last = outcomes[max(outcomes)]
    return f"none of {len(outcomes)} candidates is feasible; the last reason: {last.reason}"


def _violations(bound: _Bound, outcomes: Outcomes) -> dict[int, float]:
    """Trial number -> violation, of the outcomes that tell it."""
    told = {number: bound.violation(outcome) for number, outcome in outcomes.items()}
    return {number: violation for number, violation in told.items() if violation is not None}


def _least(measured: Mapping[int, float]) -> int:
    """The trial with the least violation; the earliest of equal ones."""
    return min(measured, key=lambda number: (measured[number], number))


def _missed_by_the_nearest(spec: JobSpec, outcomes: Outcomes, bounds: Sequence[_Bound]) -> list[tuple[_Bound, int]]:
    """The constraints that the candidate with the least violation in all misses."""
    missed = {number: [b for b in bounds if (b.violation(o) or 0.0) > 0] for number, o in outcomes.items()}
    # A candidate that misses only what has no bound here (it took too long, say) names no constraint.
    distances = {
        number: sum(max(0.0, violation) for violation in told_violations(spec, outcomes[number]).values())
        for number, names in missed.items()
        if names
    }
    if not distances:
        return []
    nearest = _least(distances)
    return [(bound, nearest) for bound in missed[nearest]]


def _shortfall(bound: _Bound, number: int, outcome: TrialResult) -> Shortfall:
    violation = bound.violation(outcome)
    assert violation is not None  # it was chosen by its violation
    return Shortfall(bound.text, bound.metric, bound.value(outcome, violation), number)


def _bounds(spec: JobSpec) -> list[_Bound]:
    """Every constraint: those of the job, and the capacities of its devices."""
    named = zip(constraint_names(spec), spec.constraints, strict=True)
    bounds = [_Bound(_text(c), c.metric, _listed(name), _reached(c)) for name, c in named]
    for index, device in enumerate(platform_devices(spec.platform)):
        for resource, capacity in device.capacity().items():
            text = f"{resource} of device {index} ({device.name}) <= {capacity:g}"
            metric = f"est_{resource}"
            bounds.append(_Bound(text, metric, _over(device_constraint(index, resource), metric), _beyond(capacity)))
    return bounds


def _listed(name: str) -> Callable[[TrialResult], float | None]:
    return lambda outcome: outcome.constraints.get(name)


def _over(name: str, metric: str) -> Callable[[TrialResult], float | None]:
    """A capacity is listed only where it is exceeded: an estimated design that does not list it keeps it."""
    return lambda outcome: outcome.constraints.get(name, 0.0 if metric in outcome.metrics else None)


def _text(constraint: Constraint) -> str:
    low = "" if constraint.min is None else f"{constraint.min:g} <= "
    high = "" if constraint.max is None else f" <= {constraint.max:g}"
    return f"{constraint.metric} >= {constraint.min:g}" if not high else f"{low}{constraint.metric}{high}"


def _reached(constraint: Constraint) -> Callable[[TrialResult, float], float]:
    """The metric's value; where only a bound of it showed the violation, that bound."""

    def value(outcome: TrialResult, violation: float) -> float:
        if constraint.metric in outcome.metrics:
            return outcome.metrics[constraint.metric]
        if constraint.max is not None:
            return constraint.max + violation
        assert constraint.min is not None  # a constraint has a bound
        return constraint.min - violation

    return value


def _beyond(capacity: float) -> Callable[[TrialResult, float], float]:
    return lambda _, violation: capacity + violation
