"""All trials of a job as points, for plots and tables of the whole job."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.context import ContextDep, ResourceId, problems
from api.design_views import CandidateView, MetricsView
from api.schemas import TrialState
from api.tabular import clock_source, metrics
from api.views import View
from db.rows import PointRow
from explorer.result import ClockSource

router = APIRouter(prefix="/v1", tags=["trials"])

_MAX_SEQ = 2**53


class PointView(View):
    """A trial without what only its own page shows: stages, provenance, word counts."""

    id: str = Field(description="id of the trial")
    number: int = Field(description="number within the job, from 0")
    seq: int = Field(description="number of the event of its last change")
    state: TrialState = Field(description="state of the trial")
    reason: str | None = Field(description="why it is infeasible, failed or tried again")
    stage: str | None = Field(description="what runs right now")
    attempts: int = Field(description="how often it was started")
    created_at: float = Field(description="UTC, seconds since 1970")
    started_at: float | None = Field(description="UTC, seconds since 1970")
    finished_at: float | None = Field(description="UTC, seconds since 1970")
    cached_from: str | None = Field(description="the trial whose stored evaluation answered this one")
    sign_off: str | None = Field(description="state of the check as one whole model; null: not asked for")
    clock_source: ClockSource | None = Field(description="where `clock_mhz` of the metrics comes from")
    metrics: MetricsView = Field(description="metrics of the trial; one that was not reached is absent")
    constraints: dict[str, float] = Field(description="name -> violation, positive is violated")
    candidate: CandidateView = Field(description="the three plans")


class PointsView(View):
    """Points in order of their last change."""

    items: list[PointView] = Field(description="at most `limit` points")
    next_seq: int | None = Field(description="`since_seq` of the page behind this one; null: there is none")


@router.get(
    "/jobs/{job_id}/points",
    operation_id="listPoints",
    response_model=PointsView,
    responses=problems(404, 410),
)
def list_points(
    context: ContextDep,
    job_id: ResourceId,
    since_seq: Annotated[int, Query(ge=0, le=_MAX_SEQ, description="only trials changed after this number")] = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="points per page")] = 2000,
) -> Response:
    """Trials as points, in order of their last change: ten thousand in a second, where whole trials take ten.

    A `Link` header with `rel="next"` names the page behind this one: it can be asked for while this one arrives.
    """
    rows = context.store.points.after(job_id, since_seq, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    following = rows[-1].seq if more else None
    body = f'{{"items":[{",".join(map(_text, rows))}],"next_seq":{json.dumps(following)}}}'
    behind = f'</v1/jobs/{job_id}/points?since_seq={following}&limit={limit}>; rel="next"'
    return Response(body, media_type="application/json", headers={} if following is None else {"Link": behind})


def _text(row: PointRow) -> str:
    """One point as JSON: the stored texts of its objects go out as they are.

    Written by hand because an encoder takes longer than all the rest; ids and states are ours and need no escapes.
    """
    return (
        f'{{"id":"{row.id}","number":{row.number},"seq":{row.seq},"state":"{row.state}","attempts":{row.attempts},'
        f'"created_at":{row.created_at!r},"started_at":{_number(row.started_at)},'
        f'"finished_at":{_number(row.finished_at)},"reason":{_string(row.reason)},"stage":{_string(row.stage)},'
        f'"cached_from":{_string(row.cached_from)},"sign_off":{_string(row.sign_off)},'
        f'"clock_source":{_string(clock_source(row))},"metrics":{_metrics(row)},'
        f'"constraints":{row.constraints or "{}"},"candidate":{row.candidate}}}'
    )


def _metrics(row: PointRow) -> str:
    """As stored; of the few trials that were routed, with what the routed clock changes."""
    if row.routed_metrics is None:
        return row.metrics or "{}"
    return json.dumps(metrics(row))


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)


def _string(value: str | None) -> str:
    return "null" if value is None else json.dumps(value)
