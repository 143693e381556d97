"""RFC 9457 problem documents for every 4xx and 5xx answer.

``type`` is ``urn:headrace:problem:<slug>`` and stable: clients switch on it. ``detail`` says what to do.
``errors`` lists the offending places of a body as JSON pointers.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.schemas import UNION_TAGS
from db.errors import (
    CursorError,
    GoneError,
    IdempotencyMismatchError,
    NotFoundError,
    OutOfSpaceError,
    StateConflictError,
    StoreError,
    UnavailableError,
)

TYPE_PREFIX = "urn:headrace:problem:"
MEDIA_TYPE = "application/problem+json"

log = logging.getLogger(__name__)

# slug -> (status, title). The table is the documentation of the contract: docs/api.md is tested against it.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request is malformed"),
    "bad-cursor": (400, "The cursor was not issued by this list"),
    "unknown-host": (400, "The Host header names another server"),
    "unauthorized": (401, "A valid bearer token is required"),
    "cross-origin": (403, "The request comes from a page of another origin"),
    "not-found": (404, "There is no such resource"),
    "method-not-allowed": (405, "The resource does not support this method"),
    "request-timeout": (408, "The request body did not arrive in time"),
    "idempotency-in-flight": (409, "The first request with this Idempotency-Key is still being processed"),
    "state-conflict": (409, "The job is in a state that does not allow this"),
    "trial-not-complete": (409, "The trial has no design to export"),
    "gone": (410, "The resource was deleted"),
    "too-large": (413, "The request body is too large"),
    "unsupported-media-type": (415, "The body has the wrong media type"),
    "invalid-body": (422, "The request does not fit its schema"),
    "invalid-json": (422, "The body is not JSON that this service accepts"),
    "invalid-model": (422, "The model file cannot be read"),
    "unsafe-model": (422, "The model file may execute code and is refused"),
    "unsupported-model": (422, "The model uses operators outside the supported set"),
    "invalid-dataset": (422, "The dataset cannot be used"),
    "unknown-reference": (422, "The body names a resource that does not exist"),
    "unsatisfiable": (422, "No candidate can satisfy this job"),
    "idempotency-mismatch": (422, "The Idempotency-Key was used with another body"),
    "too-many-jobs": (429, "The queue is full"),
    "internal": (500, "The server made a mistake"),
    "export-failed": (500, "The bundle could not be built"),
    "not-implemented": (501, "The server cannot do this"),
    "unavailable": (503, "The service cannot answer now"),
    "not-ready": (503, "Jobs would not run now"),
    "out-of-space": (507, "The server has no disk space left"),
}

_STORE_PROBLEMS: Mapping[type[Exception], str] = {
    NotFoundError: "not-found",
    GoneError: "gone",
    StateConflictError: "state-conflict",
    IdempotencyMismatchError: "idempotency-mismatch",
    CursorError: "bad-cursor",
    UnavailableError: "unavailable",
    OutOfSpaceError: "out-of-space",
}

_SLUG_OF_STATUS = {
    400: "bad-request", 401: "unauthorized", 403: "cross-origin", 404: "not-found", 405: "method-not-allowed",
    408: "request-timeout", 410: "gone", 413: "too-large", 415: "unsupported-media-type", 422: "invalid-body",
    429: "too-many-jobs", 500: "internal", 501: "not-implemented", 503: "unavailable", 507: "out-of-space",
}  # fmt: skip


# pydantic's kinds of error whose own text does not tell the sender what to do.
_SAID_BETTER = {
    "extra_forbidden": "there is no such field: remove it or correct its name",
    "model_attributes_type": "a JSON object is expected here",
}


class Problem(Exception):
    """An answer other than success.

    ``slug`` is a key of PROBLEMS; ``detail`` is for people, and says what to do; ``members`` extends the document.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status, self.title = PROBLEMS[slug]
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def body(self) -> dict[str, Any]:
        """The problem document."""
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            document["errors"] = self.errors
        return document

    def response(self) -> JSONResponse:
        """The HTTP answer."""
        return JSONResponse(self.body(), status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE)


def pointer(path: Sequence[str | int]) -> str:
    """RFC 6901 JSON pointer of a path of keys and indices."""
    parts = (str(part) for part in path if part not in UNION_TAGS)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def from_validation(error: RequestValidationError) -> Problem:
    """A schema violation as a problem. Pointers point into the body; parameters are named in ``parameter``."""
    errors: list[dict[str, Any]] = []
    for item in error.errors():
        place, path = item["loc"][0], item["loc"][1:]
        if item["type"] == "json_invalid":
            return Problem("invalid-json", f"The body is not acceptable JSON: {item['ctx']['error']}.")
        detail = _detail(item)
        if place == "body" and path[-1:] == ("[key]",) and item["type"] != "extra_forbidden":
            errors.append({"pointer": pointer(path[:-1]), "detail": f"the key: {detail}"})
        elif place == "body":
            errors.append({"pointer": pointer(path), "detail": detail})
        else:
            errors.append({"parameter": f"{place} {'.'.join(map(str, path))}", "detail": detail})
    first = errors[0]
    where = first.get("pointer", first.get("parameter"))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem("invalid-body", f"{where or 'body'}: {first['detail']}{more}", errors=errors)


def _detail(item: Mapping[str, Any]) -> str:
    text = str(item["msg"]).removeprefix("Value error, ")
    if text.startswith("Expected UploadFile"):
        return "send the file as a part with a file name"
    return _SAID_BETTER.get(item["type"], text)


def from_http(error: HTTPException) -> Problem:
    """An exception raised by the framework (routing, body limits) as a problem."""
    slug = _SLUG_OF_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
    detail = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:
        detail = PROBLEMS[slug][1] + "."
    return Problem(slug, detail, headers=error.headers)


def from_arguments(error: ValidationError) -> Problem:
    """As ``from_validation``, of a document that was not read as a request's body by the framework."""
    places = [{**e, "loc": ("body", *e["loc"])} for e in error.errors(include_input=False, include_url=False)]
    return from_validation(RequestValidationError(places))


def of_store(error: StoreError) -> Problem:
    """An error of the store as a problem: that of the nearest kind in the table."""
    slug = next(_STORE_PROBLEMS[kind] for kind in type(error).__mro__ if kind in _STORE_PROBLEMS)
    headers = {"Retry-After": "5"} if PROBLEMS[slug][0] == 503 else {}
    return Problem(slug, f"{str(error)[:1].upper()}{str(error)[1:]}.", headers=headers)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return from_validation(error).response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return from_http(error).response()

    async def _store(_: Request, error: Exception) -> Response:
        assert isinstance(error, StoreError)
        return of_store(error).response()

    for kind in _STORE_PROBLEMS:
        app.add_exception_handler(kind, _store)

    @app.exception_handler(OSError)
    async def _machine(request: Request, error: Exception) -> Response:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Problem("out-of-space", "Nothing was stored: free disk space on the server and repeat.").response()
        return await _unexpected(request, error)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        # The text of the exception may hold paths or database URLs: it goes to the log, never to the client.
        log.error("unhandled error in %s %s", request.method, request.url.path, exc_info=error)
        return Problem("internal", "The server made a mistake; its log has the details.").response()
