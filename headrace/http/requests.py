"""The calls of the service (docs/api.md), each once: what is sent, and what comes back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from headrace.errors import HeadraceError
from headrace.http.delivery import all_pages, deliver, deliver_json, problem_of
from headrace.http.steps import Request, Steps

Document = dict[str, Any]
TRIALS_PAGE = 200


def get(path: str, **params: Any) -> Request:
    """A GET with those parameters that are given."""
    return Request("GET", path, params={name: value for name, value in params.items() if value is not None})


def path(*parts: str) -> str:
    """A path below ``/v1``; an id can never leave it."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def with_json(method: str, place: str, body: Any, **headers: str) -> Request:
    """A request with a JSON body.

    Raises:
        HeadraceError: the body holds what JSON cannot carry, such as NaN.
    """
    try:
        content = json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise HeadraceError(f"the request cannot be written as JSON: {error}") from error
    return Request(method, place, headers={"Content-Type": "application/json", **headers}, content=content)


def upload(noun: str, file: tuple[str, bytes], fields: Mapping[str, Any]) -> Steps[Document]:
    """Upload to ``models`` or ``datasets``; fields that are None are left out, others than texts are sent as JSON."""
    sent = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items() if v is not None}
    return (yield from _answered(Request("POST", path(noun), files={"file": file}, fields=sent)))


def submit_job(body: Mapping[str, Any], key: str | None) -> Steps[Document]:
    """Start an exploration; without a key of the caller's, one of its own makes sending it again safe."""
    return (yield from _answered(with_json("POST", path("jobs"), body, **_key(key))))


def submit_sweep(form: Mapping[str, Any], key: str | None) -> Steps[Document]:
    """Start many jobs; as ``submit_job``."""
    return (yield from _answered(with_json("POST", path("sweeps"), form, **_key(key))))


def document(noun: str, ident: str, **params: Any) -> Steps[Document]:
    """One resource."""
    return (yield from _answered(get(path(noun, ident), **params)))


def listed(noun: str, **params: Any) -> Steps[list[Document]]:
    """All resources of a kind."""
    return (yield from all_pages(get(path(noun), **params)))


def refreshed(noun: str, ident: str, etag: str | None) -> Steps[tuple[Document | None, str | None]]:
    """A resource and its tag; no document where it is still the one with ``etag``."""
    headers = {} if etag is None else {"If-None-Match": etag}
    answer = yield from deliver(Request("GET", path(noun, ident), headers=headers))
    return (None, etag) if answer.status_code == 304 else (answer.json(), answer.headers.get("ETag"))


def trials_of(job_id: str, state: str | None = None, since_seq: int | None = None) -> Request:
    """The request for a job's trials."""
    return get(path("jobs", job_id, "trials"), state=state, since_seq=since_seq, limit=TRIALS_PAGE)


def front_of(job_id: str) -> Request:
    """The request for a job's Pareto front."""
    return get(path("jobs", job_id, "pareto"))


def jobs_of_sweep(sweep_id: str, job_ids: Sequence[str]) -> Steps[list[Document]]:
    """The jobs of a sweep that still exist, in the order of its items."""
    found = {job["id"]: job for job in (yield from all_pages(get(path("jobs"), sweep=sweep_id, limit=TRIALS_PAGE)))}
    return [found[job_id] for job_id in job_ids if job_id in found]


def verb(noun: str, ident: str, name: str) -> Steps[Document]:
    """Pause, resume, stop or cancel."""
    return (yield from _answered(Request("POST", path(noun, ident, name))))


def limit(job_id: str, limits: Mapping[str, float | None]) -> Steps[Document]:
    """Change those budgets of a running job that are given."""
    body = {name: value for name, value in limits.items() if value is not None}
    return (yield from _answered(with_json("PATCH", path("jobs", job_id), body)))


def delete(noun: str, ident: str) -> Steps[None]:
    """Delete a resource."""
    yield from deliver(Request("DELETE", path(noun, ident)))


def read(place: str) -> Steps[Document]:
    """What the service answers at a path."""
    return (yield from _answered(get(place)))


def ready() -> Steps[Document]:
    """Whether jobs run now; "no" is an answer too, and not asked again."""
    answer = yield from deliver(get("/readyz"), answers=(503,))
    if answer.status_code == 503 and (problem := problem_of(answer)).slug != "not-ready":
        raise problem
    document: Document = answer.json()
    return document


def metrics() -> Steps[str]:
    """The Prometheus metrics of the service, as text."""
    return (yield from deliver(get("/metrics"))).text


def points_of(job_id: str, since_seq: int | None) -> Steps[list[Document]]:
    """The trials of a job as points."""
    found: list[Document] = []
    while True:
        page = yield from _answered(get(path("jobs", job_id, "points"), since_seq=since_seq))
        found += page["items"]
        since_seq = page["next_seq"]
        if since_seq is None:
            return found


def call(method: str, place: str, body: Any, params: Mapping[str, str]) -> Steps[Document | None]:
    """Any request; None for an answer without content.

    Raises:
        HeadraceError: the answer is no JSON.
    """
    request = Request(method, place) if body is None else with_json(method, place, body)
    answer = yield from deliver(replace(request, method=method.upper(), params=params))
    if not answer.content:
        return None
    try:
        document: Document = answer.json()
    except ValueError as error:
        kind = answer.headers.get("Content-Type")
        raise HeadraceError(f"{place} answers with {kind}, not with JSON: save it with another tool") from error
    return document


def _answered(request: Request) -> Steps[Document]:
    answer: Document = yield from deliver_json(request)
    return answer


def _key(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid.uuid4())}
