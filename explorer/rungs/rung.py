"""What a rung is, what it works with, and what it finds."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from explorer.accuracy import Judge
from explorer.candidate import Candidate
from explorer.constraints import violations
from explorer.dataset import Dataset
from explorer.hardware import Builder
from explorer.result import ClockSource, Exact
from explorer.space import Space
from explorer.spec import JobSpec
from explorer.tensors import FloatTensors
from hwgen.hardware.design import Design
from hwgen.hardware.platform import Platform
from hwgen.simulation.build import BuildCache
from hwgen.synthesis.route import Router
from hwgen.technology.catalogue import Device


@dataclass(frozen=True)
class Bench:
    """What all candidates of a job are measured with.

    Attributes:
        spec: the job.
        space: its design space.
        data: evaluation data.
        judge: measures accuracy on the data.
        floats: the float model's tensors on the samples that are simulated.
        builder: candidate to hardware graph.
        devices: of the platform, by device index; ``platform`` is what connects them.
        clock_mhz: the clock that figures in seconds assume, and ``clock_source``, where it comes from.
        cache: compiled operators; ``router``: places and routes, and keeps what it found.
    """

    spec: JobSpec
    space: Space
    data: Dataset
    judge: Judge
    floats: FloatTensors
    builder: Builder
    devices: Sequence[Device]
    platform: Platform
    clock_mhz: float
    clock_source: ClockSource
    cache: BuildCache
    router: Router


@dataclass(frozen=True)
class Findings:
    """What one rung found, in plain JSON types.

    Attributes:
        metrics: by the names of the HTTP contract.
        detail: figures per device, operator or output.
        exact: comparison of words, from a rung that compares.
        over: violations that no constraint of the job names: name to amount, positive is violated.
        reason: why the candidate is infeasible, where the rung itself knows better than the constraints.
        cached: a cache of the rung's own answered.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    exact: Exact | None = None
    over: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    cached: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, field by field."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Findings:
        """Inverse of ``to_json``."""
        exact = data["exact"]
        return Findings(**{**data, "exact": None if exact is None else Exact(**exact)})


@dataclass
class Climb:
    """One candidate on its way up: what the rungs below found.

    Attributes:
        bench: what it is measured with.
        candidate: the candidate.
        metrics, detail, exact: of all rungs so far.
        constraints: violations by name, positive is violated.
    """

    bench: Bench
    candidate: Candidate
    metrics: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    exact: Exact | None = None
    constraints: dict[str, float] = field(default_factory=dict)

    @cached_property
    def design(self) -> Design:
        """The hardware graph.

        Raises:
            IllegalGraph, IllegalParameters: the candidate is no legal design.
        """
        return self.bench.builder.design(self.candidate)

    def take(self, found: Findings) -> str | None:
        """Take in what a rung found; returns why the candidate is infeasible, None where it still may be feasible."""
        self.metrics |= found.metrics
        self.detail |= found.detail
        self.exact = found.exact or self.exact
        self.constraints |= violations(self.bench.spec, self.metrics) | dict(found.over)
        return found.reason or self.violated()

    def violated(self) -> str | None:
        """The violated constraints with their amounts, None where all are met."""
        texts = [f"{name} by {amount:g}" for name, amount in self.constraints.items() if amount > 0]
        return f"constraints violated: {', '.join(texts)}" if texts else None


class Rung(ABC):
    """One question about a candidate.

    Attributes:
        name: of the stage in a trial's record.
    """

    name: ClassVar[str]

    @abstractmethod
    def key(self, climb: Climb) -> str | None:
        """Digest of exactly what ``run`` reads; equal keys have equal findings, in any job and any process.

        None where asking again is cheaper than looking the answer up.
        """

    @abstractmethod
    def run(self, climb: Climb) -> Findings:
        """Answer the question."""


def digest(*parts: object) -> str:
    """SHA-256 in hexadecimal of plain JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
