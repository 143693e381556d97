"""All trials of a job as one file, streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from api.context import ContextDep, ResourceId, problems
from api.errors import Problem
from api.tabular import Table, points
from api.trial_views import TrialView
from db.rows import TrialRow
from db.store import Store

router = APIRouter(prefix="/v1/jobs", tags=["trials"])

_PAGE = 200
_PARQUET = "application/vnd.apache.parquet"
_OCTETS = "application/octet-stream"  # for generators of clients that do not know Parquet
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TYPED: dict[int | str, dict[str, object]] = {
    200: {"description": "the columns of `trials.csv`, typed", "content": {_PARQUET: _BINARY, _OCTETS: _BINARY}}
}


def _file(media_type: str, description: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}


@router.get(
    "/{job_id}/trials.csv",
    operation_id="exportTrialsCsv",
    response_class=StreamingResponse,
    responses=_file("text/csv", "one row for each trial", {"type": "string"}) | problems(404, 410),
)
def export_csv(context: ContextDep, job_id: ResourceId) -> StreamingResponse:
    """All trials by number, one in a row: state, metrics, violations, and the decisions for each node."""
    context.store.jobs.get(job_id)
    table = Table.of(points(context.store, job_id))
    return _download(table.csv(points(context.store, job_id)), "text/csv; charset=utf-8", f"{job_id}.csv")


@router.get(
    "/{job_id}/trials.json",
    operation_id="exportTrialsJson",
    response_class=StreamingResponse,
    responses=_file(
        "application/json", "every trial", {"type": "array", "items": {"$ref": "#/components/schemas/TrialView"}}
    )
    | problems(404, 410),
)
def export_json(context: ContextDep, job_id: ResourceId) -> StreamingResponse:
    """All trials by number, as an array of what `GET /v1/trials/{id}` answers."""
    context.store.jobs.get(job_id)
    return _download(_json(_trials(context.store, job_id)), "application/json", f"{job_id}.json")


@router.get(
    "/{job_id}/trials.parquet",
    operation_id="exportTrialsParquet",
    response_class=FileResponse,
    responses=_TYPED | problems(404, 410, 500, 501),
)
def export_parquet(context: ContextDep, request: Request, job_id: ResourceId) -> FileResponse:
    """All trials by number, with the columns of `trials.csv`: times, text and numbers as such, units as metadata.

    501 where the service was installed without its extra `parquet`; the answer says how to get it. A request
    that accepts nothing but `application/octet-stream` gets the same bytes under that name.
    """
    media_type = _OCTETS if request.headers.get("accept") == _OCTETS else _PARQUET
    context.store.jobs.get(job_id)
    if find_spec("pyarrow") is None:
        raise Problem(
            "not-implemented",
            "This service is installed without pyarrow, which writes Parquet. On the server: "
            "pip install 'headrace-service[parquet]'. Until then read trials.csv or trials.json.",
        )
    folder = Path(mkdtemp(prefix="headrace-parquet-"))
    clear = BackgroundTask(rmtree, folder, ignore_errors=True)
    try:
        context.parser.write_parquet(job_id, folder / "trials")
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
    headers = {"Cache-Control": "private, no-cache"}
    return FileResponse(
        folder / "trials", headers=headers, media_type=media_type, filename=f"{job_id}.parquet", background=clear
    )


def _trials(store: Store, job_id: str) -> Iterator[TrialRow]:
    """The trials by number, a page at a time: the file may be larger than memory."""
    last = -1
    while page := store.trials.numbered(job_id, last, _PAGE):
        yield from page
        last = page[-1].number


def _json(trials: Iterable[TrialRow]) -> Iterator[str]:
    start = "["
    for trial in trials:
        yield start + TrialView.of(trial).model_dump_json(by_alias=True)
        start = ",\n"
    yield "[]" if start == "[" else "]"


def _download(parts: Iterator[str], media_type: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
    return StreamingResponse(parts, media_type=media_type, headers=headers)
