"""A job's trials as an Optuna study in memory, for Optuna's plots and importances."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headrace.optional import need

if TYPE_CHECKING:
    from optuna import Study

Decisions = dict[str, Any]


def study_of(job: Mapping[str, Any], trials: Iterable[Mapping[str, Any]]) -> Study:
    """An ``optuna.Study`` with the same trials: decisions as parameters, objectives as values, constraints.

    A trial that reached every objective is ``COMPLETE``, feasible or not, as its constraints say. One that did not (an
    estimate already ruled it out) has no values and is ``PRUNED``; one whose evaluation broke is ``FAIL``; one that is
    not over is ``RUNNING``. User attributes hold the service's own ``state``, ``reason``, ``trial_id`` and metrics.

    Args:
        job: the job document.
        trials: its trials, in any order.
    """
    optuna = need("optuna", "for Optuna studies")
    objectives = job["spec"]["objectives"]
    ordered = sorted(trials, key=lambda trial: int(trial["number"]))
    decided = [_decisions(trial["candidate"]) for trial in ordered]
    distributions = _distributions(optuna, decided)
    study: Study = optuna.create_study(study_name=job["id"], directions=[o["direction"] for o in objectives])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([o["metric"] for o in objectives])
    for trial, params in zip(ordered, decided, strict=True):
        study.add_trial(_frozen(optuna, trial, params, distributions, [o["metric"] for o in objectives]))
    return study


def _decisions(candidate: Mapping[str, Any]) -> Decisions:
    """Every choice of a candidate under the name that the trials' frame has for it."""
    found: Decisions = {}
    for node, formats in candidate["quantization"].items():
        if formats["weight"] is not None:
            found[f"weight_{node}"] = formats["weight"]
        found[f"activation_{node}"] = formats["activation"]
    for node, lanes in candidate["parallelism"].items():
        found[f"in_lanes_{node}"], found[f"out_lanes_{node}"] = lanes["in_lanes"], lanes["out_lanes"]
    return found | {f"device_{node}": str(device) for node, device in candidate["partition"].items()}


def _distributions(optuna: Any, decided: Sequence[Decisions]) -> dict[str, Any]:
    """Of each decision the values that occur: Optuna must know all of them before the first trial."""
    seen: dict[str, set[Any]] = {}
    for decisions in decided:
        for name, value in decisions.items():
            seen.setdefault(name, set()).add(value)
    return {name: optuna.distributions.CategoricalDistribution(tuple(sorted(values))) for name, values in seen.items()}


def _frozen(
    optuna: Any, trial: Mapping[str, Any], params: Decisions, distributions: Mapping[str, Any], names: Sequence[str]
) -> Any:
    values = [trial["metrics"].get(name) for name in names]
    reached = all(value is not None and math.isfinite(value) for value in values)
    state = _state(optuna.trial.TrialState, trial["state"], reached)
    frozen = optuna.trial.create_trial(
        state=state,
        values=values if state is optuna.trial.TrialState.COMPLETE else None,
        params=params,
        distributions={name: distributions[name] for name in params},
        constraints={name: float(value) for name, value in trial["constraints"].items()},
        user_attrs={name: trial[name] for name in ("state", "reason")} | {"trial_id": trial["id"]} | trial["metrics"],
    )
    start = trial["started_at"] or trial["created_at"]
    frozen.datetime_start = _local(start)
    frozen.datetime_complete = _local(trial["finished_at"] or start) if state.is_finished() else None
    return frozen


def _local(time: str) -> datetime:
    """A time of the service as Optuna keeps times: of this machine's zone, without saying so."""
    return datetime.fromisoformat(time).astimezone().replace(tzinfo=None)


def _state(states: Any, state: str, reached: bool) -> Any:
    match state:
        case "complete" | "infeasible":
            return states.COMPLETE if reached else states.PRUNED
        case "failed" | "cancelled":
            return states.FAIL
        case "queued" | "running":
            return states.RUNNING
    raise ValueError(f"{state} is no state of a trial")
