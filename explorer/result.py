"""What evaluating one candidate yields. Failures of the design are data; faults of the machine are exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# Where the clock of a figure comes from: the job's platform, an estimate of ours, or place and route.
ClockSource = Literal["requested", "estimated", "routed"]


@dataclass(frozen=True)
class Stage:
    """One rung of the fidelity ladder: its name, wall seconds, and whether a cache answered."""

    name: str
    seconds: float
    cache_hit: bool = False


@dataclass(frozen=True)
class Exact:
    """The word-for-word comparison of the simulated RTL with the integer reference."""

    compared_words: int
    mismatched_words: int
    samples: int


@dataclass(frozen=True)
class TrialResult:
    """The outcome of one candidate.

    Attributes:
        state: ``complete`` only when the RTL was simulated and every output word compared.
        reason: why the candidate is infeasible (what to change), None when complete.
        metrics: the metric names of the HTTP contract; a metric that was not reached is absent, never a default.
        exact: word comparison, present when simulated.
        constraints: name -> violation, positive is violated. Always filled for an infeasible candidate.
        stages: rungs in the order they ran.
        provenance: code version, tool versions, seed, model and dataset ids.
        detail: per device and per operator figures (``?detail=operators``).
        clock_source: where ``clock_mhz`` of the metrics comes from; None where no clock was used.
    """

    state: Literal["complete", "infeasible"]
    reason: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    exact: Exact | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    clock_source: ClockSource | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, field by field."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TrialResult:
        """Inverse of ``to_json``."""
        exact = data.get("exact")
        return TrialResult(
            state=data["state"],
            reason=data.get("reason"),
            metrics=dict(data.get("metrics", {})),
            exact=Exact(**exact) if exact else None,
            constraints=dict(data.get("constraints", {})),
            stages=tuple(Stage(**s) for s in data.get("stages", ())),
            provenance=dict(data.get("provenance", {})),
            detail=dict(data.get("detail", {})),
            clock_source=data.get("clock_source"),
        )
