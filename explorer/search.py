"""Which candidate to try next: Optuna by ask and tell, or enumeration.

The study lives in memory; the truth is the service's database, from which ``restore`` rebuilds it. An infeasible
candidate is told as complete with a violated constraint and finite objectives, never as failed: samplers ignore failed
trials, and then propose the failing region again and again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import TrialState

from explorer.candidate import Candidate
from explorer.choices import build_encoding
from explorer.constraints import told_violations
from explorer.encoding import Encoding, Point
from explorer.result import TrialResult
from explorer.samplers import make_sampler
from explorer.spec import JobSpec
from explorer.starts import starting_points
from hwgen.model.graph import Graph

_RESAMPLES = 12
_NOTHING_SEEN = 1e9  # a loss before any value was seen; samplers rank infeasible trials by violation, not by this


class Proposer(Protocol):
    """Proposes candidates that are not in ``known``, and learns from results."""

    def ask(self) -> Candidate | None:
        """A candidate, None when no new one is left."""

    def tell(self, candidate: Candidate, result: TrialResult) -> None:
        """The result of a candidate, proposed here or not."""


class Search:
    """The search of one job.

    Args:
        spec: the job.
        model: canonical graph file.

    Raises:
        SamplerUnavailable: the sampler needs a package that is not installed.
    """

    def __init__(self, spec: JobSpec, model: Path) -> None:
        self._start(spec, build_encoding(spec, Graph.load(model)))

    @classmethod
    def over(cls, spec: JobSpec, encoding: Encoding) -> Search:
        """A search over a space that is already built."""
        search = cls.__new__(cls)
        search._start(spec, encoding)
        return search

    def _start(self, spec: JobSpec, encoding: Encoding, told: int = 0) -> None:
        self.spec = spec
        self.encoding = encoding
        self.sampler = chosen_sampler(spec, encoding.space.size)
        if self.sampler == "exhaustive":
            self._proposer: Proposer = Enumeration(encoding, spec.search.seed)
        else:
            self._proposer = Sampling(spec, encoding, self.sampler, spec.search.seed + told)

    def ask(self) -> Candidate | None:
        """The next candidate to evaluate; None when the space is exhausted."""
        return self._proposer.ask()

    def tell(self, candidate: Candidate, result: TrialResult) -> None:
        """Give the outcome of a candidate, asked for or found elsewhere."""
        self._proposer.tell(candidate, result)

    def restore(self, history: Sequence[tuple[Candidate, TrialResult]]) -> None:
        """Start afresh with the outcomes known so far, in the order they came in."""
        # Another seed than before: the same one would propose the first candidates again.
        self._start(self.spec, self.encoding, len(history))
        for candidate, result in history:
            self._proposer.tell(candidate, result)


def chosen_sampler(spec: JobSpec, size: int) -> str:
    """``auto`` is exhaustive where the budget covers the whole space, TPE elsewhere."""
    if spec.search.sampler != "auto":
        return spec.search.sampler
    return "exhaustive" if size <= spec.search.trials else "tpe"


class Enumeration:
    """Every design exactly once, in an order that scatters over the space, so that a part of it is a fair sample."""

    def __init__(self, encoding: Encoding, seed: int) -> None:
        self._known: set[str] = set()
        self._designs = scattered(encoding, seed)

    def ask(self) -> Candidate | None:
        """The next design that was neither proposed nor told."""
        for candidate in self._designs:
            digest = candidate.digest()
            if digest not in self._known:
                self._known.add(digest)
                return candidate
        return None

    def tell(self, candidate: Candidate, result: TrialResult) -> None:
        """Enumeration learns nothing but that the candidate is done."""
        self._known.add(candidate.digest())


def scattered(encoding: Encoding, seed: int) -> Iterator[Candidate]:
    """Every design of the space once, in the order of an affine permutation of their numbers."""
    size = encoding.space.size
    step = max(1, int(size * 0.6180339887) | 1)
    while math.gcd(step, size) != 1:
        step += 2
    start = np.random.default_rng(seed).integers(min(size, 2**62))
    return (encoding.space.design((int(start) + step * i) % size) for i in range(size))


class Sampling:
    """A sampler of Optuna over the box of an encoding, first fed with designs known to be good starts."""

    def __init__(self, spec: JobSpec, encoding: Encoding, sampler: str, seed: int) -> None:
        self._spec = spec
        self._encoding = encoding
        self._distributions: dict[str, BaseDistribution] = {
            name: IntDistribution(low, high) for name, (low, high) in encoding.box.items()
        }
        self._study = optuna.create_study(
            directions=[o.direction for o in spec.objectives], sampler=make_sampler(sampler, seed, spec.search.trials)
        )
        self._random = np.random.default_rng(seed)
        self._results: dict[str, TrialResult] = {}
        self._pending: dict[str, list[optuna.Trial]] = {}
        self._worst: list[float | None] = [None] * len(spec.objectives)
        self._rest: Iterator[Candidate] | None = None
        for point in starting_points(encoding):
            self._study.enqueue_trial({name: point.get(name, 0) for name in self._distributions}, skip_if_exists=True)

    def ask(self) -> Candidate | None:
        """A candidate that is new where one can be had: sampled, else drawn at random, else enumerated."""
        for attempt in range(3 * _RESAMPLES):
            if attempt >= _RESAMPLES:
                self._study.enqueue_trial(self._random_point())
            trial = self._study.ask(self._distributions)
            candidate = self._encoding.decode(trial.params)
            digest = candidate.digest()
            if digest in self._results:
                # The sampler has to see what it asked for, or it would ask for it for ever.
                self._tell_trial(trial, self._results[digest])
            elif digest in self._pending:
                self._pending[digest].append(trial)
            else:
                self._pending[digest] = [trial]
                return candidate
        return self._enumerated()

    def _random_point(self) -> Point:
        return {n: int(self._random.integers(low, high + 1)) for n, (low, high) in self._encoding.box.items()}

    def _enumerated(self) -> Candidate | None:
        """A new design outside what the box reaches: unbalanced lanes."""
        if self._rest is None:
            self._rest = scattered(self._encoding, self._spec.search.seed)
        for candidate in self._rest:
            digest = candidate.digest()
            if digest not in self._results and digest not in self._pending:
                self._pending[digest] = []
                return candidate
        return None

    def tell(self, candidate: Candidate, result: TrialResult) -> None:
        """Record an outcome; one that the sampler did not ask for is added to the study where its box holds it."""
        digest = candidate.digest()
        known = digest in self._results
        self._results[digest] = result
        asked = self._pending.pop(digest, None)
        for trial in asked or ():
            self._tell_trial(trial, result)
        if not asked and not known:
            self._add(candidate, result)

    def _add(self, candidate: Candidate, result: TrialResult) -> None:
        point = self._encoding.encode(candidate)
        if point is None:
            return
        self._study.add_trial(
            optuna.create_trial(
                params=point,
                distributions=self._distributions,
                values=self._values(result),
                constraints=told_violations(self._spec, result),
                state=TrialState.COMPLETE,
            )
        )

    def _tell_trial(self, trial: optuna.Trial, result: TrialResult) -> None:
        for name, violation in told_violations(self._spec, result).items():
            trial.set_constraint(name, violation)
        self._study.tell(trial, self._values(result))

    def _values(self, result: TrialResult) -> list[float]:
        """Objective values, finite: what an infeasible candidate did not reach counts as the worst seen so far."""
        values = []
        for index, objective in enumerate(self._spec.objectives):
            value = result.metrics.get(objective.metric)
            worst, minimize = self._worst[index], objective.direction == "minimize"
            if value is not None and math.isfinite(value):
                self._worst[index] = value if worst is None else max(worst, value) if minimize else min(worst, value)
                values.append(float(value))
            else:
                values.append(worst if worst is not None else _NOTHING_SEEN if minimize else 0.0)
        return values
