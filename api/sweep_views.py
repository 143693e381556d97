"""Answers about sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field

from api.job_views import BestView, ProgressView
from api.schemas import EndReason, JobState
from api.views import ProblemView, Time, View
from db.rows import JobRow, SweepRow


class SweepJob(View):
    """What a table of the sweep shows of a job; `GET /v1/jobs/{id}` has all of it."""

    model: str = Field(description="id of the model")
    model_name: str | None = Field(description="what the model is called; null when it is no longer stored")
    labels: dict[str, str] = Field(description="labels of the job")
    progress: ProgressView = Field(description="trials done, of those in the budget")
    hypervolume: float | None = Field(description="hypervolume of the front; null before the first complete trial")
    best: dict[str, BestView] = Field(description="objective -> best feasible value so far")
    pareto_size: int = Field(description="designs on the front")
    end_reason: EndReason | None = Field(description="why it ended; null before")

    @classmethod
    def of(cls, row: JobRow) -> Self:
        """From the store's row."""
        return cls(
            model=row.model_id,
            model_name=row.model_name,
            labels=dict(row.labels),
            progress=ProgressView(trials_done=row.trials_done, trials_total=row.trials_total),
            hypervolume=row.hypervolume,
            best={metric: BestView(**value) for metric, value in row.best.items()},
            pareto_size=len(row.front),
            end_reason=row.end_reason,
        )


class SweepItem(View):
    """What became of one body of a sweep: a job, or the problem document it was refused with."""

    index: int = Field(description="place of the body in the request, from 0")
    job_id: str | None = Field(None, description="the job; null when the body was refused")
    state: JobState | None = Field(None, description="state of the job; null when it was refused or deleted")
    job: SweepJob | None = Field(None, description="the job in short; null when it was refused or deleted")
    problem: ProblemView | None = Field(None, description="why the body was refused")


class SweepView(View):
    """A group of jobs that were submitted together, and its progress."""

    id: str = Field(description="id of the sweep")
    created_at: Time = Field(description="when its last job was submitted")
    items: list[SweepItem] = Field(description="one for each body, in the order of the request")
    counts: dict[str, int] = Field(description="job state -> number of jobs; `refused` counts refused bodies")
    progress: ProgressView = Field(description="trials of all its jobs together")

    @classmethod
    def of(cls, row: SweepRow, jobs: Mapping[str, JobRow]) -> Self:
        """From the store's row and a mapping that has its jobs by id; deleted jobs have no state any more."""
        members = [(item, jobs.get(item.get("job_id", ""))) for item in row.items]
        items = [
            SweepItem(
                index=index,
                job_id=item.get("job_id"),
                state=job.state if job else None,
                job=SweepJob.of(job) if job else None,
                problem=ProblemView(**item["problem"]) if "problem" in item else None,
            )
            for index, (item, job) in enumerate(members)
        ]
        found = [job for _, job in members if job]
        counts: dict[str, int] = {}
        for name in [job.state for job in found] + ["refused" for item in items if item.problem]:
            counts[name] = counts.get(name, 0) + 1
        progress = ProgressView(
            trials_done=sum(job.trials_done for job in found), trials_total=sum(job.trials_total for job in found)
        )
        return cls(id=row.id, created_at=row.created_at, items=items, counts=counts, progress=progress)
