"""Sweeps: many jobs in one request, accepted or refused one by one."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from api.context import Context, ContextDep, Cursor, IdempotencyKey, Limit, ResourceId, problems
from api.errors import Problem, from_arguments
from api.routes.jobs import fingerprint, submit
from api.schemas import JobBody, SweepBody
from api.strictjson import StrictRoute
from api.sweep_views import SweepView
from api.views import PageView
from db.errors import NotFoundError
from db.rows import SweepRow

router = APIRouter(prefix="/v1/sweeps", tags=["sweeps"], route_class=StrictRoute)

_MAX_ITEMS = 256
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


@router.post("", operation_id="submitSweep", status_code=202, responses=problems(409, 413))
def submit_sweep(context: ContextDep, response: Response, body: SweepBody, key: IdempotencyKey = None) -> SweepView:
    """Start many jobs. Each item is accepted or refused for itself; a refused one carries its problem document."""
    bodies = list(_expand(body))
    with context.keys.hold(key):
        sweep_id = context.store.sweeps.new_id(key, fingerprint(bodies))
        row = _known(context, sweep_id)
        if row is None:
            items = [_submit_item(context, item, index, key, sweep_id) for index, item in enumerate(bodies)]
            row = context.store.sweeps.add(sweep_id, items)
    response.headers["Location"] = f"/v1/sweeps/{row.id}"
    return _view(context, row)


@router.get("", operation_id="listSweeps", responses=problems())
def list_sweeps(context: ContextDep, cursor: Cursor = None, limit: Limit = 50) -> PageView[SweepView]:
    """Sweeps, newest first."""
    page = context.store.sweeps.page(cursor, limit)
    jobs = context.store.jobs.of_sweeps([row.id for row in page.items])
    return PageView(items=[SweepView.of(row, jobs) for row in page.items], next_cursor=page.next_cursor)


@router.get("/{sweep_id}", operation_id="getSweep", responses=problems(404))
def get_sweep(context: ContextDep, sweep_id: ResourceId) -> SweepView:
    """One sweep: its items with the state of their jobs, and the progress of all together."""
    return _view(context, context.store.sweeps.get(sweep_id))


@router.post("/{sweep_id}/cancel", operation_id="cancelSweep", status_code=202, responses=problems(404))
def cancel_sweep(context: ContextDep, sweep_id: ResourceId) -> SweepView:
    """Cancel every job of the sweep that has not ended."""
    row = context.store.sweeps.get(sweep_id)
    for job_id, job in context.store.jobs.of_sweeps([sweep_id]).items():
        if not job.terminal:
            context.store.jobs.cancel(job_id)
    return _view(context, row)


def _known(context: Context, sweep_id: str) -> SweepRow | None:
    """The sweep, if a request with the same key has stored it."""
    try:
        return context.store.sweeps.get(sweep_id)
    except NotFoundError:
        return None


def _submit_item(context: Context, item: dict[str, Any], index: int, key: str | None, sweep_id: str) -> dict[str, Any]:
    """One item's entry: the id of its job, or the problem it was refused with."""
    try:
        body = JobBody.model_validate(item)
        item_key = None if key is None else f"{key} {index}"  # no key of a caller holds a space
        created = submit(context, body, item_key, fingerprint(body.model_dump(mode="json")), sweep_id)
        return {"job_id": created.job.id}
    except ValidationError as error:
        return {"problem": from_arguments(error).body()}
    except Problem as problem:
        return {"problem": problem.body()}


def _expand(body: SweepBody) -> Iterator[dict[str, Any]]:
    """The job bodies that a sweep asks for."""
    if body.jobs is not None:
        yield from body.jobs
        return
    assert body.base is not None and body.matrix is not None
    size = 1
    for values in body.matrix.values():
        size *= len(values)
    if not 1 <= size <= _MAX_ITEMS:
        detail = f"the matrix makes {size} jobs; a sweep has 1 to {_MAX_ITEMS}"
        raise Problem("invalid-body", f"/matrix: {detail}", errors=[{"pointer": "/matrix", "detail": detail}])
    for choice in itertools.product(*body.matrix.values()):
        item = copy.deepcopy(body.base)
        for place, value in zip(body.matrix, choice, strict=True):
            _set(item, place, value)
        yield item


def _set(document: Any, place: str, value: Any) -> None:
    """Set the value at a JSON pointer, making objects on the way."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in place.split("/")[1:]]
    for part in path:
        if isinstance(document, list) and (index := _index(part, document)) is not None:
            document = document[index]
        elif isinstance(document, dict):
            document = document.setdefault(part, {})
        else:
            _no_such_place(place)
    if isinstance(document, dict):
        document[last] = value
    elif isinstance(document, list) and (index := _index(last, document)) is not None:
        document[index] = value
    else:
        _no_such_place(place)


def _index(part: str, items: list[Any]) -> int | None:
    """A part of a pointer as an index into ``items``, None when it is no index or too great."""
    if _INDEX.fullmatch(part) is None or int(part) >= len(items):
        return None
    return int(part)


def _no_such_place(place: str) -> None:
    detail = "the base body has no such place"
    raise Problem("invalid-body", f"/matrix: {place}: {detail}", errors=[{"pointer": "/matrix", "detail": detail}])


def _view(context: Context, row: SweepRow) -> SweepView:
    return SweepView.of(row, context.store.jobs.of_sweeps([row.id]))
