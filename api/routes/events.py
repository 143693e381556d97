"""A job's events as a server-sent event stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio.to_thread
from anyio import sleep
from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.context import ContextDep, ResourceId, problems
from api.errors import Problem

router = APIRouter(prefix="/v1", tags=["jobs"])

_PAGE = 500
_POLL_SECONDS = 0.25
_RETRY_MS = 1000
_MAX_SEQ = 2**53


async def _start(
    context: ContextDep,
    job_id: ResourceId,
    last_event_id: Annotated[
        str | None, Header(max_length=40, description="sequence number of the last event seen")
    ] = None,
    since_seq: Annotated[int, Query(ge=0, le=_MAX_SEQ, description="as Last-Event-ID, for the first request")] = 0,
) -> int:
    """Where to resume. A dependency, so that a refusal is an ordinary answer and not a broken stream."""
    newest = await anyio.to_thread.run_sync(context.store.jobs.seq, job_id)
    if last_event_id is None:
        return min(since_seq, newest)
    if not (last_event_id.isascii() and last_event_id.isdigit() and int(last_event_id) <= newest):
        detail = "it is not the id of an event of this stream"
        raise Problem(
            "bad-request",
            f"Last-Event-ID: {detail}; leave it out to start from the beginning.",
            errors=[{"parameter": "header Last-Event-ID", "detail": detail}],
        )
    return int(last_event_id)


@router.get(
    "/jobs/{job_id}/events",
    operation_id="followJob",
    response_class=EventSourceResponse,
    responses=problems(404, 410),
)
async def follow_job(
    context: ContextDep, job_id: ResourceId, start: Annotated[int, Depends(_start)]
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job: every event once, in order, `id` its sequence number, and `event: end` after the last.

    Resume with `Last-Event-ID`. Comments are sent while nothing happens, so a silent connection is a dead one.
    """
    seen = start
    yield ServerSentEvent(comment=f"job {job_id}", retry=_RETRY_MS)
    job = await anyio.to_thread.run_sync(context.store.jobs.get, job_id)
    if job.terminal and job.seq == seen:
        # A client that has seen everything comes back: it is told again that nothing follows.
        yield ServerSentEvent(id=str(seen), event="end", data={"state": job.state})
        return
    while True:
        # An idle round is one indexed read, so that many followers cost little.
        while await anyio.to_thread.run_sync(context.store.jobs.seq, job_id) > seen:
            for event in await anyio.to_thread.run_sync(context.store.events.after, job_id, seen, _PAGE):
                seen = event.seq
                yield ServerSentEvent(id=str(event.seq), event=event.type, data=dict(event.data))
                if event.type == "end":
                    return
        await sleep(_POLL_SECONDS)
