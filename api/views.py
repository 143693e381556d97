"""Answers of the API: typed documents built from the store's rows. They are the response side of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from api.schemas import EndReason, JobState, TrialState
from db.rows import JobRow, SweepRow, TrialRow
from explorer.result import ClockSource

ItemT = TypeVar("ItemT")


def _rfc3339(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Time = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
Document = dict[str, Any]


class View(BaseModel):
    """An answer. Clients must accept fields they do not know."""

    model_config = ConfigDict(protected_namespaces=())


class PageView(View, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    next_cursor: str | None = None


class ErrorItem(View):
    """One offending place: a pointer into the body, a parameter, or a node of a model."""

    model_config = ConfigDict(extra="allow")

    detail: str | None = None
    pointer: str | None = None


class ProblemView(View):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ErrorItem] | None = None


class ProgressView(View):
    """Trials that are complete, infeasible or failed, of those in the budget."""

    trials_done: int
    trials_total: int


class MissedConstraint(View):
    """A constraint that no candidate met, or that the nearest one missed."""

    constraint: str = Field(description="as a person writes it: `accuracy >= 0.999`")
    metric: str
    best: float = Field(description="the value nearest to the bound, in the metric's unit")
    number: int = Field(description="number of the trial that reached it")


class FailureView(View):
    """Why a job is `failed`."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    retryable: bool = Field(description="whether the same job may succeed when submitted again")
    constraints: list[MissedConstraint] | None = Field(None, description="with `no_feasible_design`: what was missed")
    search_ended: EndReason | None = Field(None, description="with `no_feasible_design`: why the search was over")


class JobView(View):
    """An exploration.

    ``seq`` is the number of its newest event; the answer is a function of it. ``best`` is objective ->
    {value, trial_id, number}; ``spec`` is the body with its defaults filled in and the limits now in force, which may
    be submitted again.
    """

    id: str
    state: JobState
    model: str
    dataset: str | None
    sweep: str | None
    labels: dict[str, str]
    seq: int
    progress: ProgressView
    counts: dict[TrialState, int]
    hypervolume: float | None
    best: dict[str, Document]
    pareto_size: int
    end_reason: EndReason | None = Field(description="why a terminal job ended; null before")
    failure: FailureView | None
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    spec: Document
    links: dict[str, str]

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
            dataset=row.dataset_id,
            sweep=row.sweep_id,
            labels=dict(row.labels),
            seq=row.seq,
            progress=ProgressView(trials_done=row.trials_done, trials_total=row.trials_total),
            counts=dict(row.counts),
            hypervolume=row.hypervolume,
            best={metric: dict(value) for metric, value in row.best.items()},
            pareto_size=len(row.front),
            end_reason=row.end_reason,
            failure=None if row.failure is None else FailureView(**row.failure),
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            spec={**_body(row.spec), "search": {**search, **limits}},
            links={name: f"{base}/{name}" for name in ("trials", "pareto", "events")} | {"self": base},
        )


def _body(spec: Mapping[str, Any]) -> Document:
    """A stored specification in the shape of a job body: a device is a name or its description, never both."""
    platform = dict(spec.get("platform", {}))
    platform["devices"] = [
        {"device": entry.get("custom") or entry["device"], "count": entry["count"]}
        for entry in platform.get("devices", ())
    ]
    return {**spec, "platform": platform}


class ExactView(View):
    """The word-for-word comparison with the integer reference."""

    compared_words: int
    mismatched_words: int
    samples: int


class StageView(View):
    """One rung of the fidelity ladder."""

    name: str
    seconds: float
    cache_hit: bool


class TrialView(View):
    """One candidate and what became of it. Metrics that were not reached are absent, never a default number.

    Of a routed design those that need a clock are at the slower of the routed and the requested one.
    """

    id: str
    job_id: str
    number: int
    seq: int
    state: TrialState
    reason: str | None
    stage: str | None = Field(description="what runs right now")
    attempts: int
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    candidate: Document
    candidate_hash: str
    metrics: Document
    exact: ExactView | None
    constraints: dict[str, float]
    stages: list[StageView]
    clock_source: ClockSource | None = Field(
        description="where `clock_mhz` of the metrics comes from; null until a clock was used"
    )
    provenance: Document
    cached_from: str | None
    sign_off: str | None
    sign_off_result: Document | None
    routing: str | None = Field(description="queued, running, done or failed; null where nobody asked for it")
    routing_reason: str | None = Field(description="why a design whose routing ended has no routed clock")
    routed: Document | None = Field(
        description="part, fmax_mhz, critical_path (operator, stage, ns), lut, ff, dsp, bram, bitstream_bytes: the "
        "slowest device's clock and path, the area of all of them; devices, one by one"
    )

    @classmethod
    def of(cls, row: TrialRow, *, operators: bool = False) -> Self:
        """From the store's row; with ``operators`` the metrics also hold ``devices``, ``hops`` and ``operators``."""
        result: Mapping[str, Any] = row.result or {}
        routing: Mapping[str, Any] = row.routing_result or {}
        routed = routing.get("routed")
        metrics = dict(result.get("metrics", {})) | routing.get("metrics", {})
        if operators:
            metrics.update(result.get("detail", {}))
        exact = result.get("exact")
        stages: Sequence[Mapping[str, Any]] = [
            *result.get("stages", ()),
            *([routing["stage"]] if "stage" in routing else []),
        ]
        return cls(
            id=row.id,
            job_id=row.job_id,
            number=row.number,
            seq=row.seq,
            state=row.state,
            reason=row.reason,
            stage=row.stage,
            attempts=row.attempts,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            candidate=dict(row.candidate),
            candidate_hash=row.candidate_hash,
            metrics=metrics,
            exact=None if exact is None else ExactView(**exact),
            constraints=dict(result.get("constraints", {})),
            stages=[StageView(**stage) for stage in stages],
            clock_source="routed" if routed else result.get("clock_source"),
            provenance=dict(result.get("provenance", {})),
            cached_from=row.cached_from,
            sign_off=row.sign_off,
            sign_off_result=None if row.sign_off_result is None else dict(row.sign_off_result),
            routing=row.routing,
            routing_reason=routing.get("reason") or routing.get("error"),
            routed=None if routed is None else {**routed, "devices": routing["devices"]},
        )


class AttemptView(View):
    """One start of a trial on a worker; ``outcome`` None while it runs."""

    purpose: str
    worker: str
    started_at: Time
    ended_at: Time | None
    outcome: str | None
    reason: str | None


class SweepItem(View):
    """What became of one body of a sweep: a job, or the problem document it was refused with."""

    index: int
    job_id: str | None = None
    state: JobState | None = None
    problem: Document | None = None


class SweepView(View):
    """A group of jobs and its progress."""

    id: str
    created_at: Time
    items: list[SweepItem]
    counts: dict[str, int]
    progress: ProgressView

    @classmethod
    def of(cls, row: SweepRow, jobs: Mapping[str, JobRow]) -> Self:
        """From the store's row and its jobs by id; deleted jobs have no state any more."""
        items = []
        for index, item in enumerate(row.items):
            job = jobs.get(item.get("job_id", ""))
            items.append(
                SweepItem(
                    index=index,
                    job_id=item.get("job_id"),
                    state=job.state if job else None,
                    problem=item.get("problem"),
                )
            )
        counts: dict[str, int] = {}
        for job in jobs.values():
            counts[job.state] = counts.get(job.state, 0) + 1
        refused = sum(1 for item in items if item.problem)
        return cls(
            id=row.id,
            created_at=row.created_at,
            items=items,
            counts=counts | ({"refused": refused} if refused else {}),
            progress=ProgressView(
                trials_done=sum(job.trials_done for job in jobs.values()),
                trials_total=sum(job.trials_total for job in jobs.values()),
            ),
        )
