"""The outcomes of one job so far: which candidates are known, the front, its hypervolume, the best per objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from db.rows import TrialRow
from explorer.pareto import hypervolume, pareto_front
from explorer.result import TrialResult
from explorer.shortfall import explain, shortfalls
from explorer.spec import JobSpec


@dataclass(frozen=True)
class Score:
    """Figures of the front; ``front`` holds trial ids in the order of their numbers."""

    hypervolume: float | None
    best: Mapping[str, Any]
    front: tuple[str, ...]


def outcome_of(trial: TrialRow) -> TrialResult:
    """What the search is told of an ended trial: its result, or a violated constraint for one that failed."""
    if trial.result is not None:
        return TrialResult.from_json(trial.result)
    return TrialResult("infeasible", trial.reason, constraints={"evaluation_failed": 1.0})


class Scoreboard:
    """Ended trials of one job. Cancelled ones are counted out."""

    def __init__(self, spec: JobSpec) -> None:
        self._spec = spec
        self._complete: list[tuple[TrialRow, TrialResult]] = []
        self._outcomes: dict[str, TrialResult] = {}
        self._numbered: dict[int, TrialResult] = {}
        self._faults = 0
        self.count = 0
        self.changed = False
        self.last_fault: str | None = None

    def add(self, trial: TrialRow) -> None:
        """Take an ended trial in; ``count`` counts the complete, infeasible and failed ones."""
        if trial.state == "cancelled":
            return
        self.count += 1
        outcome = self._outcomes[trial.candidate_hash] = self._numbered[trial.number] = outcome_of(trial)
        if trial.state == "failed":
            self._faults += 1
            self.last_fault = trial.reason
        elif outcome.state == "complete":
            self._complete.append((trial, outcome))
            self.changed = True

    def known(self, candidate_hash: str) -> TrialResult | None:
        """What became of an equal candidate of this job."""
        return self._outcomes.get(candidate_hash)

    def only_faults(self, at_least: int) -> bool:
        """Whether nothing but faults of the machine came out, and at least so many."""
        return self._faults >= at_least and self._faults == self.count

    def no_feasible_design(self) -> dict[str, Any]:
        """Why the front is empty, as the ``failure`` of a job."""
        missed = [asdict(each) for each in shortfalls(self._spec, self._numbered)]
        return {
            "code": "no-feasible-design",
            "message": explain(self._spec, self._numbered),
            "retryable": False,
            "constraints": missed,
        }

    def score(self) -> Score:
        """Front, hypervolume and best values of all complete trials."""
        self.changed = False
        results = [result for _, result in self._complete]
        if not results:
            return Score(None, {}, ())
        front = sorted(self._complete[i][0].number for i in pareto_front(self._spec, results))
        by_number = {trial.number: trial.id for trial, _ in self._complete}
        volume = hypervolume(self._spec, results)
        return Score(volume, self._best(), tuple(by_number[number] for number in front))

    def _best(self) -> dict[str, Any]:
        best: dict[str, Any] = {}
        for objective in self._spec.objectives:
            sign = 1.0 if objective.direction == "maximize" else -1.0
            for trial, result in self._complete:
                value = result.metrics.get(objective.metric)
                if value is None or any(violation > 0 for violation in result.constraints.values()):
                    continue
                known = best.get(objective.metric)
                if known is None or sign * value > sign * known["value"]:
                    best[objective.metric] = {"value": value, "trial_id": trial.id, "number": trial.number}
        return best
