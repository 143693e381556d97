"""Jobs: submit, read, list, steer, delete."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from api.context import Context, ContextDep, Cursor, IdempotencyKey, Limit, ResourceId, problems
from api.errors import Problem
from api.job_views import ImportanceView, JobView, VolumeView
from api.schemas import JobBody, JobPatch, JobState
from api.strictjson import StrictRoute
from api.trial_views import TrialView
from api.views import PageView
from db.errors import NotFoundError
from db.rows import TERMINAL_JOB_STATES, CreatedJob, NewJob, TrialRow
from explorer.spec import default_objectives

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=StrictRoute)


def submit(
    context: Context, body: JobBody, key: str | None, fingerprint: str, sweep_id: str | None = None
) -> CreatedJob:
    """Check a job and store it; the stored row is what starts it.

    Raises:
        Problem: an unknown model or dataset, a job that no candidate can satisfy, a key used with another body.
    """
    known = None if key is None else context.store.jobs.of_key(key, fingerprint)
    if known is not None:
        # Before the limit: repeating a request that was accepted starts nothing, however full the queue is.
        return CreatedJob(known, replayed=True)
    counts = context.store.jobs.count()
    if sum(n for state, n in counts.items() if state not in TERMINAL_JOB_STATES) >= context.settings.max_queued_jobs:
        raise Problem(
            "too-many-jobs", "Wait until some jobs have ended, or cancel some.", headers={"Retry-After": "30"}
        )
    new = prepare(context, body, sweep_id)
    with context.models:  # it was checked seconds ago
        _require_uploads(context, body)
        return context.store.jobs.create(new, key, fingerprint)


def prepare(context: Context, body: JobBody, sweep_id: str | None = None) -> NewJob:
    """Check a job, with its defaults filled in; nothing is stored.

    Raises:
        Problem: an unknown model or dataset, or a job that no candidate can satisfy.
    """
    _require_uploads(context, body)
    if not context.artefacts.graph(body.model).is_file():
        detail = f"another release stored the model {body.model}: upload its file to /v1/models again"
        raise Problem("unknown-reference", f"/model: {detail}", errors=[{"pointer": "/model", "detail": detail}])
    spec = body.to_spec().to_json()
    dataset = None if body.dataset is None else context.artefacts.blob(body.dataset)
    check = context.parser.check_job(spec, context.artefacts.graph(body.model), dataset)
    spec["metric"] = check["metric"]
    spec["objectives"] = spec["objectives"] or [asdict(o) for o in default_objectives(check["metric"])]
    return NewJob(
        model_id=body.model,
        dataset_id=body.dataset,
        spec=spec,
        trials_total=int(check["trials_total"]),
        wall_seconds=body.search.wall_seconds,
        parallel_trials=body.search.parallel_trials,
        labels=body.labels,
        sweep_id=sweep_id,
    )


def _require_uploads(context: Context, body: JobBody) -> None:
    """Raise a Problem unless the model and the dataset of a job are there."""
    for noun, reference, lookup in (
        ("model", body.model, context.store.models.get),
        ("dataset", body.dataset, context.store.datasets.get),
    ):
        if reference is not None:
            try:
                lookup(reference)
            except NotFoundError:
                detail = f"there is no {noun} {reference}: upload it to /v1/{noun}s first"
                raise Problem(
                    "unknown-reference", f"/{noun}: {detail}", errors=[{"pointer": f"/{noun}", "detail": detail}]
                ) from None


def fingerprint(body: Any) -> str:
    """Hash of a request body, independent of key order and spacing."""
    return "sha256:" + hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@router.post("", operation_id="submitJob", status_code=202, responses=problems(409, 410, 413, 429))
def submit_job(context: ContextDep, response: Response, body: JobBody, key: IdempotencyKey = None) -> JobView:
    """Start an exploration."""
    with context.keys.hold(key):
        row = submit(context, body, key, fingerprint(body.model_dump(mode="json"))).job
    response.headers["Location"] = f"/v1/jobs/{row.id}"
    response.headers["Retry-After"] = "1"
    return JobView.of(row)


@router.get("", operation_id="listJobs", responses=problems())
def list_jobs(
    context: ContextDep,
    state: Annotated[JobState | None, Query(description="only jobs in this state")] = None,
    label: Annotated[str | None, Query(max_length=320, description="`key:value` or `key=value`")] = None,
    sweep: Annotated[str | None, Query(max_length=100, description="only jobs of this sweep")] = None,
    model: Annotated[str | None, Query(max_length=200, description="only jobs of this model: its id or name")] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="only jobs with this text in a label, the model's name or the id")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageView[JobView]:
    """Jobs, newest first."""
    page = context.store.jobs.page(state, _label(label), sweep, cursor, limit, model, q)
    return PageView(items=[JobView.of(row) for row in page.items], next_cursor=page.next_cursor)


@router.get(
    "/{job_id}",
    operation_id="getJob",
    response_model=JobView,
    responses=problems(404, 410) | {304: {"description": "not modified"}},
)
def get_job(
    context: ContextDep,
    response: Response,
    job_id: ResourceId,
    if_none_match: Annotated[
        str | None, Header(max_length=1000, description="`ETag` of the answer that the caller has")
    ] = None,
) -> Any:
    """One job. The strong ETag is its sequence number: an unchanged job costs one indexed read."""
    if if_none_match is not None:
        tag = etag(job_id, context.store.jobs.seq(job_id))
        if _matches(if_none_match, tag):
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
    row = context.store.jobs.get(job_id)
    response.headers["ETag"] = etag(job_id, row.seq)
    response.headers["Cache-Control"] = "no-cache"
    if not row.terminal:
        response.headers["Retry-After"] = "1"
    return JobView.of(row)


@router.patch("/{job_id}", operation_id="limitJob", responses=problems(404, 409, 410))
def patch_job(context: ContextDep, job_id: ResourceId, body: JobPatch) -> JobView:
    """Raise or lower the budgets of a job that has not ended."""
    return JobView.of(context.store.jobs.limit(job_id, body.trials, body.wall_seconds, body.parallel_trials))


@router.delete("/{job_id}", operation_id="deleteJob", status_code=204, responses=problems(404, 409, 410))
def delete_job(context: ContextDep, job_id: ResourceId) -> None:
    """Delete a job that has ended, with its trials and bundles; the id answers 410 afterwards."""
    trials = [row.id for row in context.store.trials.history(job_id)]
    context.store.jobs.delete(job_id)
    for path in (place(trial) for trial in trials for place in (context.artefacts.bundle, context.artefacts.activity)):
        path.unlink(missing_ok=True)


@router.post("/{job_id}/pause", operation_id="pauseJob", status_code=202, responses=problems(404, 409, 410))
def pause_job(context: ContextDep, job_id: ResourceId) -> JobView:
    """Start no further trials until resumed; what runs goes on."""
    return JobView.of(context.store.jobs.pause(job_id))


@router.post("/{job_id}/resume", operation_id="resumeJob", status_code=202, responses=problems(404, 409, 410))
def resume_job(context: ContextDep, job_id: ResourceId) -> JobView:
    """Go on after a pause."""
    return JobView.of(context.store.jobs.resume(job_id))


@router.post("/{job_id}/stop", operation_id="stopJob", status_code=202, responses=problems(404, 409, 410))
def stop_job(context: ContextDep, job_id: ResourceId) -> JobView:
    """Finish what runs, then end the job."""
    return JobView.of(context.store.jobs.stop(job_id))


@router.post("/{job_id}/cancel", operation_id="cancelJob", status_code=202, responses=problems(404, 410))
def cancel_job(context: ContextDep, job_id: ResourceId) -> JobView:
    """Kill what runs and end the job; a job that has ended stays as it is."""
    return JobView.of(context.store.jobs.cancel(job_id))


@router.get("/{job_id}/pareto", operation_id="getPareto", responses=problems(404, 410))
def get_pareto(context: ContextDep, job_id: ResourceId) -> PageView[TrialView]:
    """The feasible non-dominated complete trials, by number."""
    return PageView(items=[TrialView.of(row) for row in front(context, job_id)], next_cursor=None)


def front(context: Context, job_id: str) -> list[TrialRow]:
    """The trials on a job's front, by number. Raises NotFoundError or GoneError."""
    return context.store.trials.get_all(list(context.store.jobs.get(job_id).front))


@router.get("/{job_id}/hypervolume", operation_id="getHypervolume", responses=problems(404, 410))
def get_hypervolume(context: ContextDep, job_id: ResourceId) -> PageView[VolumeView]:
    """Every step of the hypervolume, against ended trials and seconds since the start."""
    points = context.store.events.hypervolume(job_id)
    return PageView(items=[VolumeView(**point) for point in points], next_cursor=None)


@router.get("/{job_id}/importance", operation_id="getImportance", responses=problems(404, 410, 500))
def get_importance(context: ContextDep, job_id: ResourceId) -> ImportanceView:
    """How much each decision decides about each objective. An active job's figures may be of a moment ago: see `seq`.

    They are computed again when the job has ended, or when it has a tenth more complete trials than before.
    """
    return context.importances.of(context.store.jobs.get(job_id), context.parser.importance)


def etag(job_id: str, seq: int) -> str:
    """Strong entity tag of a job's document."""
    return f'"{job_id}.{seq}"'


def _matches(if_none_match: str, tag: str) -> bool:
    # Weak comparison, as RFC 9110 asks for If-None-Match.
    return any(part.strip().removeprefix("W/") in (tag, "*") for part in if_none_match.split(","))


def _label(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    for separator in ("=", ":"):
        key, found, value = text.partition(separator)
        if found and key:
            return key, value
    raise Problem(
        "invalid-body",
        "query label: write key=value",
        errors=[{"parameter": "query label", "detail": "write key=value"}],
    )
