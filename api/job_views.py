"""Answers about jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field

from api.schemas import AS_JOB_BODY, EndReason, JobState, TrialState
from api.views import Document, OpenView, Time, View
from db.rows import JobRow


class ProgressView(View):
    """Trials that are complete, infeasible or failed, of those in the budget."""

    trials_done: int = Field(description="trials that are complete, infeasible or failed")
    trials_total: int = Field(description="trials in the budget, at most the size of the space")


class MissedConstraint(View):
    """A constraint that no candidate met, or that the nearest one missed."""

    constraint: str = Field(description="as a person writes it: `accuracy >= 0.999`")
    metric: str = Field(description="the metric that it bounds")
    best: float = Field(description="the value nearest to the bound, in the metric's unit")
    number: int = Field(description="number of the trial that reached it")


class FailureView(OpenView):
    """Why a job is `failed`."""

    code: str = Field(description="kind of failure; stable, to be switched on")
    message: str = Field(description="what happened, and what to do")
    retryable: bool = Field(description="whether the same job may succeed when submitted again")
    constraints: list[MissedConstraint] | None = Field(None, description="with `no_feasible_design`: what was missed")
    search_ended: EndReason | None = Field(None, description="with `no_feasible_design`: why the search was over")


class BestView(View):
    """The best feasible value of one objective."""

    value: float = Field(description="in the metric's unit")
    trial_id: str = Field(description="the trial that reached it first")
    number: int = Field(description="number of that trial within the job")


class VolumeView(View):
    """The hypervolume from one trial on: the share of objective space that the front dominates."""

    trials: int = Field(description="trials that had ended")
    seconds: float = Field(description="seconds since the job started")
    hypervolume: float = Field(description="in [0, 1]; never falls")


class JobLinks(View):
    """Addresses of what belongs to a job."""

    self: str = Field(description="this document")
    trials: str = Field(description="its trials")
    pareto: str = Field(description="its front")
    events: str = Field(description="its event stream")


class JobView(View):
    """An exploration. The answer is a function of its id and `seq`."""

    id: str = Field(description="id of the job")
    state: JobState = Field(description="terminal states (succeeded, failed, cancelled) never change")
    model: str = Field(description="id of the model")
    model_name: str | None = Field(description="what the model is called; null when it is no longer stored")
    dataset: str | None = Field(description="id of the evaluation data; null: generated inputs")
    sweep: str | None = Field(description="the sweep that it was submitted with")
    labels: dict[str, str] = Field(description="labels that it was submitted with")
    seq: int = Field(description="number of its newest event")
    progress: ProgressView = Field(description="trials done, of those in the budget")
    counts: dict[TrialState, int] = Field(description="trial state -> number of trials")
    hypervolume: float | None = Field(description="hypervolume of the front; null before the first complete trial")
    hypervolume_history: list[VolumeView] = Field(
        description="how it grew, in at most 60 points; `/hypervolume` has every step"
    )
    best: dict[str, BestView] = Field(description="objective -> best feasible value so far")
    pareto_size: int = Field(description="designs on the front")
    end_reason: EndReason | None = Field(description="why a terminal job ended; null before")
    failure: FailureView | None = Field(description="why it is `failed`")
    created_at: Time = Field(description="when it was submitted")
    started_at: Time | None = Field(description="when it was first worked on")
    finished_at: Time | None = Field(description="when it ended")
    spec: Annotated[dict[str, Any], AS_JOB_BODY] = Field(
        description="the body with its defaults filled in and the limits now in force; may be submitted again"
    )
    links: JobLinks = Field(description="addresses of what belongs to it")

    @classmethod
    def of(cls, row: JobRow) -> Self:
        """From the store's row."""
        search = dict(row.spec.get("search", {}))
        limits = {
            "trials": row.trials_total,
            "wall_seconds": row.wall_seconds,
            "parallel_trials": row.parallel_trials,
        }
        base = f"/v1/jobs/{row.id}"
        return cls(
            id=row.id,
            state=row.state,
            model=row.model_id,
            model_name=row.model_name,
            dataset=row.dataset_id,
            sweep=row.sweep_id,
            labels=dict(row.labels),
            seq=row.seq,
            progress=ProgressView(trials_done=row.trials_done, trials_total=row.trials_total),
            counts=dict(row.counts),
            hypervolume=row.hypervolume,
            hypervolume_history=[VolumeView(**point) for point in row.history],
            best={metric: BestView(**value) for metric, value in row.best.items()},
            pareto_size=len(row.front),
            end_reason=row.end_reason,
            failure=None if row.failure is None else FailureView(**row.failure),
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            spec={**_body(row.spec), "search": {**search, **limits}},
            links=JobLinks(self=base, trials=f"{base}/trials", pareto=f"{base}/pareto", events=f"{base}/events"),
        )


def _body(spec: Mapping[str, Any]) -> Document:
    """A stored specification in the shape of a job body: a device is a name or its description, never both."""
    platform = dict(spec.get("platform", {}))
    platform["devices"] = [
        {"device": entry.get("custom") or entry["device"], "count": entry["count"]}
        for entry in platform.get("devices", ())
    ]
    return {**spec, "platform": platform}


class ImportanceView(View):
    """How much each decision of the search decides about each objective, by PED-ANOVA over the job's trials."""

    seq: int = Field(description="number of the job's event that these figures were computed after")
    trials: int = Field(description="trials that they were computed from, at most 1000")
    importance: dict[str, dict[str, float]] = Field(
        description="objective -> decision -> share of its variation among good designs, the most important first. "
        "Decisions are `weight:NODE`, `activation:NODE`, `in_lanes:NODE`, `out_lanes:NODE`, `device:NODE` and "
        "`tensor`; those that never changed are left out, and so is an objective that fewer than 10 trials reached"
    )
