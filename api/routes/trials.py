"""Trials of a job, one trial, and its bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from api.context import Context, ContextDep, Cursor, Limit, ResourceId, problems
from api.errors import Problem
from api.schemas import TrialState
from api.trace_views import ChromeTraceView
from api.trial_views import AttemptView, TrialView
from api.views import PageView

router = APIRouter(prefix="/v1", tags=["trials"])

_MAX_SEQ = 2**53
_BINARY = {"schema": {"type": "string", "format": "binary"}}
# Generators of clients that do not know zip files take the second.
_OCTETS = "application/octet-stream"
_ZIP: dict[int | str, dict[str, object]] = {200: {"content": {"application/zip": _BINARY, _OCTETS: _BINARY}}}
_TRACE: dict[int | str, dict[str, object]] = {200: {"model": ChromeTraceView, "description": "Chrome trace JSON"}}


@router.get("/jobs/{job_id}/trials", operation_id="listTrials", responses=problems(404, 410))
def list_trials(
    context: ContextDep,
    job_id: ResourceId,
    since_seq: Annotated[int, Query(ge=0, le=_MAX_SEQ, description="only trials changed after this number")] = 0,
    state: Annotated[TrialState | None, Query(description="only trials in this state")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> PageView[TrialView]:
    """Trials in order of their last change; pass the greatest `seq` seen as `since_seq` to read only what is new."""
    page = context.store.trials.page(job_id, since_seq, state, cursor, limit)
    return PageView(items=[TrialView.of(row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/trials/{trial_id}", operation_id="getTrial", responses=problems(404))
def get_trial(
    context: ContextDep,
    trial_id: ResourceId,
    detail: Annotated[
        Literal["operators"] | None, Query(description="add figures of every device and operator")
    ] = None,
) -> TrialView:
    """One trial in full."""
    return TrialView.of(context.store.trials.get(trial_id), operators=detail == "operators")


@router.get("/trials/{trial_id}/attempts", operation_id="listAttempts", responses=problems(404))
def list_attempts(context: ContextDep, trial_id: ResourceId) -> PageView[AttemptView]:
    """Every start of a trial on a worker, oldest first."""
    context.store.trials.get(trial_id)
    items = [
        AttemptView(
            purpose=row.purpose,
            worker=row.worker,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            reason=row.reason,
        )
        for row in context.store.trials.attempts(trial_id)
    ]
    return PageView(items=items, next_cursor=None)


@router.get(
    "/trials/{trial_id}/rtl",
    operation_id="getBundle",
    response_class=FileResponse,
    responses=_ZIP | problems(404, 409, 500),
)
def get_bundle(context: ContextDep, request: Request, trial_id: ResourceId) -> FileResponse:
    """The design as a zip: SystemVerilog, memories, test vectors and a Makefile. Built on the first request.

    A request that accepts nothing but `application/octet-stream` gets the same bytes under that name.
    """
    media_type = _OCTETS if request.headers.get("accept") == _OCTETS else "application/zip"
    return _built(context, trial_id, media_type, context.artefacts.bundle, context.parser.build_bundle)


@router.get(
    "/trials/{trial_id}/activity",
    operation_id="getActivity",
    response_class=FileResponse,
    responses=_TRACE | problems(404, 409, 500),
)
def get_activity(context: ContextDep, trial_id: ResourceId) -> FileResponse:
    """What each operator did when, as Chrome trace JSON, which Perfetto opens: a process for each device.

    The trial is simulated again on the first request. Slices are busy, blocked, starved or idle; their arguments are
    exact cycles, and one microsecond of the trace is one cycle.
    """
    return _built(context, trial_id, "application/json", context.artefacts.activity, context.parser.build_activity)


def _built(
    context: Context, trial_id: str, media_type: str, place: Callable[[str], Path], build: Callable[[str], None]
) -> FileResponse:
    """A file about a complete trial, built at its place unless it is there."""
    trial = context.store.trials.get(trial_id)
    if trial.state != "complete" or trial.result is None:
        raise Problem(
            "trial-not-complete", f"Trial {trial.number} is {trial.state}: only complete trials have a design."
        )
    path = place(trial_id)
    if not path.is_file():
        with context.building(trial_id):
            if not path.is_file():
                build(trial_id)
    name = f"headrace-{trial.job_id}-trial-{trial.number}{''.join(path.suffixes)}"
    return FileResponse(path, media_type=media_type, filename=name, headers={"Cache-Control": "private"})
