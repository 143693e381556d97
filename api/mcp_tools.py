"""The tools that agents get over MCP: submit, status, front, and why something was refused or came to nothing.

They call what the routes call, and answer what the routes answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from api.context import Context
from api.errors import Problem, from_arguments, of_store
from api.job_views import JobView
from api.routes.jobs import fingerprint, front, prepare, submit
from api.schemas import Body, JobBody
from api.trial_views import TrialView
from api.views import Document
from db.errors import StoreError

ArgumentsT = TypeVar("ArgumentsT", bound=BaseModel)
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:-]{1,100}$")]


class Submit(Body):
    """Arguments of ``submit_job``."""

    job: JobBody = Field(description="the job; its model and dataset are uploaded over HTTP first")
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="repeating the call with the same key and job starts nothing new",
    )


class OfJob(Body):
    """Arguments of tools about one job."""

    job_id: Id = Field(description="id of the job")


class Refused(Body):
    """Arguments of ``explain_refusal``: exactly one of them."""

    job: JobBody | None = Field(None, description="a job that is not submitted: would it be refused, and why?")
    job_id: Id | None = Field(None, description="a job that failed")
    trial_id: Id | None = Field(None, description="a trial that is infeasible or failed")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(given is not None for given in (self.job, self.job_id, self.trial_id)) != 1:
            raise ValueError("give exactly one of job, job_id and trial_id")
        return self


@dataclass(frozen=True)
class Tool(Generic[ArgumentsT]):
    """A tool: ``run`` answers with plain JSON types; its refusals are Problems and errors of the store."""

    name: str
    description: str
    arguments: type[ArgumentsT]
    run: Callable[[Context, ArgumentsT], Document]

    def call(self, context: Context, arguments: Document) -> tuple[Document, bool]:
        """The tool's answer, or a problem document; and whether it is the latter."""
        try:
            return self.run(context, self.arguments.model_validate(arguments)), False
        except ValidationError as error:
            return from_arguments(error).body(), True
        except Problem as problem:
            return problem.body(), True
        except StoreError as error:
            return of_store(error).body(), True


def _submit(context: Context, arguments: Submit) -> Document:
    with context.keys.hold(arguments.idempotency_key):
        stamp = fingerprint(arguments.job.model_dump(mode="json"))
        return JobView.of(submit(context, arguments.job, arguments.idempotency_key, stamp).job).model_dump(mode="json")


def _status(context: Context, arguments: OfJob) -> Document:
    return JobView.of(context.store.jobs.get(arguments.job_id)).model_dump(mode="json")


def _front(context: Context, arguments: OfJob) -> Document:
    return {"items": [TrialView.of(row).model_dump(mode="json") for row in front(context, arguments.job_id)]}


def _explain(context: Context, arguments: Refused) -> Document:
    if arguments.job is not None:
        return _judge(context, arguments.job)
    if arguments.job_id is not None:
        job = JobView.of(context.store.jobs.get(arguments.job_id)).model_dump(mode="json")
        return {name: job[name] for name in ("state", "end_reason", "failure", "counts")}
    assert arguments.trial_id is not None
    trial = TrialView.of(context.store.trials.get(arguments.trial_id)).model_dump(mode="json")
    return {name: trial[name] for name in ("state", "reason", "constraints", "metrics")}


def _judge(context: Context, job: JobBody) -> Document:
    try:
        new = prepare(context, job)
    except Problem as problem:
        return {"refused": True, "problem": problem.body()}
    return {"refused": False, "trials_total": new.trials_total, "metric": new.spec["metric"]}


TOOLS: tuple[Tool[Any], ...] = (
    Tool("submit_job", "Start an exploration of accelerator designs for an uploaded model.", Submit, _submit),
    Tool("job_status", "State, progress, hypervolume and best values of a job.", OfJob, _status),
    Tool("pareto_front", "The feasible non-dominated designs of a job, each simulated word for word.", OfJob, _front),
    Tool(
        "explain_refusal",
        "Why a job body would be refused (nothing is started), why a job failed, or why a trial came to nothing.",
        Refused,
        _explain,
    ),
)
