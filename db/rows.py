"""What the store hands out: frozen rows. Nothing of SQLAlchemy leaves ``db``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypedDict, TypeVar

JobState = Literal["queued", "running", "paused", "stopping", "cancelling", "succeeded", "failed", "cancelled"]
TrialState = Literal["queued", "running", "complete", "infeasible", "failed", "cancelled"]

# Why a job ended. What it makes of the job's state is ``STATE_OF_END``.
EndReason = Literal[
    "budget_trials",
    "budget_seconds",
    "space_exhausted",
    "stopped",
    "cancelled",
    "no_feasible_design",
    "evaluations_failed",
    "search_failed",
]

# What is done with a complete trial after the search.
FollowUp = Literal["sign_off", "routing"]

# What ended an attempt without a result: the evaluation itself, an outage around it, or somebody's word.
FaultClass = Literal["evaluation", "infrastructure", "withdrawal"]

TERMINAL_JOB_STATES: tuple[JobState, ...] = ("succeeded", "failed", "cancelled")
STATE_OF_END: Mapping[EndReason, JobState] = {
    "budget_trials": "succeeded",
    "budget_seconds": "succeeded",
    "space_exhausted": "succeeded",
    "stopped": "succeeded",
    "cancelled": "cancelled",
    "no_feasible_design": "failed",
    "evaluations_failed": "failed",
    "search_failed": "failed",
}
TERMINAL_TRIAL_STATES: tuple[TrialState, ...] = ("complete", "infeasible", "failed", "cancelled")
# Those that a budget of trials counts.
DONE_TRIAL_STATES: tuple[TrialState, ...] = ("complete", "infeasible", "failed")
TRIAL_STATES: tuple[TrialState, ...] = ("queued", "running", *TERMINAL_TRIAL_STATES)

RowT = TypeVar("RowT", covariant=True)


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """One page of a list; ``next_cursor`` None means that there is no more."""

    items: Sequence[RowT]
    next_cursor: str | None


@dataclass(frozen=True)
class ModelRow:
    """An uploaded model. ``graph`` and ``software`` are those objects of the HTTP contract."""

    id: str
    name: str
    format: str
    size_bytes: int
    graph: Mapping[str, Any]
    software: Sequence[Mapping[str, Any]]
    created_at: datetime


@dataclass(frozen=True)
class DatasetRow:
    """Uploaded evaluation data: ``arrays`` is name -> {shape, dtype}."""

    id: str
    name: str
    samples: int
    arrays: Mapping[str, Any]
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True)
class NewJob:
    """What ``store.jobs.create`` needs.

    ``spec`` is ``JobSpec.to_json()``; the limits are copied out so they can be edited.
    """

    model_id: str
    dataset_id: str | None
    spec: Mapping[str, Any]
    trials_total: int
    wall_seconds: float
    parallel_trials: int
    labels: Mapping[str, str]
    sweep_id: str | None = None


class VolumePoint(TypedDict):
    """The hypervolume after so many ended trials, so many seconds after the job started."""

    trials: int
    seconds: float
    hypervolume: float


@dataclass(frozen=True)
class JobRow:
    """A job.

    Attributes:
        model_name: what its model is called; None when the model is no longer stored.
        seq: number of its newest event; changes with every change of the job or of its trials (use it for the ETag).
        trials_done: trials that are complete, infeasible or failed.
        counts: trial state -> number of trials, every state present.
        best: objective metric -> {"value", "trial_id", "number"}.
        history: how the hypervolume grew, in few points: ``db.history``.
        front: ids of the feasible non-dominated complete trials, as of the last result.
        end_reason: why a terminal job ended, None before.
        failure: {"code", "message", "retryable", …} of a failed job.
        search_seconds: seconds that it was worked on so far: ``db.budget``.
    """

    id: str
    state: JobState
    model_id: str
    model_name: str | None
    dataset_id: str | None
    sweep_id: str | None
    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    seq: int
    trials_total: int
    trials_done: int
    wall_seconds: float
    parallel_trials: int
    counts: Mapping[str, int]
    hypervolume: float | None
    history: Sequence[VolumePoint]
    best: Mapping[str, Any]
    front: Sequence[str]
    end_reason: EndReason | None
    failure: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    search_seconds: float

    @property
    def terminal(self) -> bool:
        """Whether the job will never change again."""
        return self.state in TERMINAL_JOB_STATES


@dataclass(frozen=True)
class CreatedJob:
    """The job of a ``store.jobs.create`` call; ``replayed`` when an earlier call with the same key had made it."""

    job: JobRow
    replayed: bool


@dataclass(frozen=True)
class AttemptRow:
    """One start of a trial: ``purpose`` evaluate, sign_off or routing; ``outcome`` None while it runs."""

    fence: int
    purpose: str
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None


@dataclass(frozen=True)
class TrialRow:
    """A trial.

    Attributes:
        seq: the job's sequence number at the trial's last change.
        stage: what runs right now, None when nothing does.
        candidate: ``Candidate.to_json()``.
        result: ``TrialResult.to_json()``, None until complete or infeasible.
        cached_from: the trial whose stored evaluation answered this one.
        sign_off: None (not asked for), queued, running, done or failed.
        sign_off_result: what ``Evaluator.sign_off`` returned, or {"error": text}.
        routing: None (not asked for), queued, running, done or failed.
        routing_result: what ``Evaluator.route`` returned, or {"error": text}.
    """

    id: str
    job_id: str
    number: int
    seq: int
    state: TrialState
    reason: str | None
    stage: str | None
    attempts: int
    candidate: Mapping[str, Any]
    candidate_hash: str
    result: Mapping[str, Any] | None
    cached_from: str | None
    sign_off: str | None
    sign_off_result: Mapping[str, Any] | None
    routing: str | None
    routing_result: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class PointRow:
    """A trial as a point: times in UTC epoch seconds; metrics, ``constraints`` and ``candidate`` as JSON text.

    ``metrics`` and ``constraints`` are None until the trial has a result; ``routed_metrics`` are those that a routed
    clock changed, None where there is none.
    """

    id: str
    number: int
    seq: int
    state: TrialState
    reason: str | None
    stage: str | None
    attempts: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    cached_from: str | None
    sign_off: str | None
    metrics: str | None
    routed_metrics: str | None
    constraints: str | None
    clock_source: str | None
    candidate: str


@dataclass(frozen=True)
class EventRow:
    """One event of a job; ``seq`` counts 1, 2, 3, … without a gap."""

    job_id: str
    seq: int
    type: str
    data: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class JobLease:
    """A search driver's right to write to a job; every write carries ``fence``."""

    job: JobRow
    fence: int


@dataclass(frozen=True)
class TrialLease:
    """A worker's right to write a trial's outcome; ``spec`` is the job's, ``fence`` goes with every write."""

    trial: TrialRow
    spec: Mapping[str, Any]
    fence: int
    purpose: Literal["evaluate"] | FollowUp


@dataclass(frozen=True)
class WorkerRow:
    """A worker process that was heard: its queues, and what it says of its tools and sandbox."""

    id: str
    queues: Sequence[str]
    info: Mapping[str, Any]
    started_at: datetime
    heard_at: datetime


@dataclass(frozen=True)
class ReasonRow:
    """Why ``count`` trials ended in ``state`` (failed or infeasible)."""

    state: TrialState
    reason: str
    count: int


@dataclass(frozen=True)
class HealthRow:
    """How the service fares.

    Attributes:
        trials_waiting: trials that nobody has started.
        trials_running: evaluations and sign-offs that a worker holds.
        messages_waiting: messages that the broker has not taken yet.
        trials_looked_at: those of the newest trials that have a result; the figures below are about the newest trials.
        stored_answers: trials that a stored evaluation answered.
        stages: rung of the ladder -> (times that a cache answered, times that it ran).
        reasons: the most frequent reasons of failed and infeasible trials, most frequent first.
    """

    trials_waiting: int
    trials_running: int
    messages_waiting: int
    trials_looked_at: int
    stored_answers: int
    stages: Mapping[str, tuple[int, int]]
    reasons: Sequence[ReasonRow]


@dataclass(frozen=True)
class OutboxRow:
    """A message that a committed transaction wants sent: ``task`` about the row ``target_id``."""

    id: int
    task: str
    target_id: str


@dataclass(frozen=True)
class SweepRow:
    """A group of jobs. ``items`` has for each body {"job_id"} or {"problem"}, in the order they were given."""

    id: str
    items: Sequence[Mapping[str, Any]]
    created_at: datetime
