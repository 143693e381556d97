"""Which decisions decide: PED-ANOVA over what a search has found, for each objective."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from explorer.candidate import TENSOR, Candidate
from explorer.spec import JobSpec, Objective

MAX_TRIALS = 1000
MIN_TRIALS = 10

Decisions = Mapping[str, str]
Found = tuple[Candidate, Mapping[str, float]]


def importances(spec: JobSpec, found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Objective -> decision -> share of the variation among good designs that it explains, in descending order.

    Args:
        spec: the job.
        found: candidates and their metrics, at most ``MAX_TRIALS``; those without an objective do not count for it.

    Returns:
        Only objectives that ``MIN_TRIALS`` candidates reached; only decisions that were not always the same.
    """
    shares = {}
    for objective in spec.objectives:
        reached = [(decisions(c), m[objective.metric]) for c, m in found if objective.metric in m]
        if len(reached) >= MIN_TRIALS:
            shares[objective.metric] = _shares(objective, reached)
    return shares


def evenly(count: int, most: int = MAX_TRIALS) -> list[int]:
    """Indices of at most ``most`` of ``count`` things, spread evenly, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def decisions(candidate: Candidate) -> dict[str, str]:
    """What a candidate decides, by name, as text: all that counts is whether two candidates decide alike."""
    return dict(_decisions(candidate))


def _decisions(candidate: Candidate) -> Iterator[tuple[str, str]]:
    for node, formats in candidate.quantization.items():
        if formats.weight is not None:
            yield f"weight:{node}", formats.weight
        yield f"activation:{node}", formats.activation
    for node, lanes in candidate.parallelism.items():
        yield f"in_lanes:{node}", str(lanes.in_lanes)
        yield f"out_lanes:{node}", str(lanes.out_lanes)
    for node, place in candidate.partition.items():
        yield f"device:{node}", str(place)
    yield TENSOR, str(candidate.ways)


def _shares(objective: Objective, reached: Sequence[tuple[Decisions, float]]) -> dict[str, float]:
    choices: dict[str, set[str]] = {}
    for name, choice in itertools.chain.from_iterable(d.items() for d, _ in reached):
        choices.setdefault(name, set()).add(choice)
    open_decisions: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(sorted(found)) for name, found in choices.items() if len(found) > 1
    }
    if not open_decisions or len({value for _, value in reached}) == 1:
        return {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=objective.direction)
    study.add_trials(
        [
            create_trial(params={n: decided[n] for n in open_decisions}, distributions=open_decisions, value=value)
            for decided, value in reached
        ]
    )
    shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {name: round(share, 6) for name, share in shares.items()}
