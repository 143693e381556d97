"""Exceptions of the client: one per kind of problem document, so that a notebook can catch what it can handle.

HeadraceError
├── ConnectionFailed          the service did not answer
├── JobFailed                 ``Job.wait`` saw the job end in ``failed``
│   └── NoFeasibleDesign      no candidate met every constraint
└── ProblemError              the service answered with a problem document
    ├── Unauthorized          401
    ├── NotFound              404 (and Gone, 410)
    ├── Conflict              409
    ├── TooLarge              413
    ├── InvalidRequest        422 and 400
    │   ├── InvalidModel      with UnsupportedModel and UnsafeModel below it
    │   ├── InvalidDataset
    │   └── Unsatisfiable     no candidate can meet the constraints
    ├── TooManyJobs           429
    └── ServerError           5xx
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HeadraceError(Exception):
    """Anything that goes wrong in the client."""


class ConnectionFailed(HeadraceError):
    """The service did not answer, also after retries."""


class JobFailed(HeadraceError):
    """The job ended in ``failed``; ``failure`` is the job's own account."""

    def __init__(self, job_id: str, failure: Mapping[str, Any] | None) -> None:
        self.job_id = job_id
        self.failure = dict(failure or {})
        reason = self.failure.get("detail") or self.failure.get("message") or "no reason recorded"
        super().__init__(f"job {job_id} failed: {reason}")


class NoFeasibleDesign(JobFailed):
    """No candidate met every constraint.

    Attributes:
        constraints: each constraint that was missed: ``constraint``, ``metric``, the ``best`` value that any candidate
            reached, and the ``number`` of its trial.
    """

    def __init__(self, job_id: str, failure: Mapping[str, Any] | None) -> None:
        super().__init__(job_id, failure)
        self.constraints: list[dict[str, Any]] = list(self.failure.get("constraints") or ())


class ProblemError(HeadraceError):
    """A problem document (RFC 9457).

    Attributes:
        type: the stable problem type URI.
        status: HTTP status.
        detail: what went wrong and what to do.
        errors: the offending places, each a mapping (``pointer`` or ``node``, ``detail`` or ``reason``).
    """

    def __init__(self, document: Mapping[str, Any], status: int) -> None:
        self.type = str(document.get("type", "about:blank"))
        self.status = status
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.errors: list[dict[str, Any]] = list(document.get("errors", ()))
        # The detail often holds the first of the places already.
        lines = [line for line in map(_line, self.errors[:8]) if line.strip() not in self.detail]
        super().__init__("\n".join([self.detail or self.title, *lines]))

    def add_hint(self, hint: str) -> None:
        """Add what may help to the message, unless it is there already."""
        if hint not in str(self):
            self.args = (f"{self}\n  {hint}",)

    @property
    def slug(self) -> str:
        """Last part of the problem type, such as ``unsupported-model``."""
        return self.type.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


class Unauthorized(ProblemError):
    """The token is missing or wrong."""


class NotFound(ProblemError):
    """There is no such resource."""


class Gone(NotFound):
    """The resource was deleted."""


class Conflict(ProblemError):
    """The resource is in a state that does not allow this."""


class TooLarge(ProblemError):
    """The upload is over the server's limit."""


class InvalidRequest(ProblemError):
    """The request does not fit the contract."""


class InvalidModel(InvalidRequest):
    """The model file cannot be read."""


class UnsupportedModel(InvalidModel):
    """The model uses operators outside the supported set; ``errors`` names each node."""


class UnsafeModel(InvalidModel):
    """The model file may execute code."""


class InvalidDataset(InvalidRequest):
    """The dataset cannot be used with this model."""


class Unsatisfiable(InvalidRequest):
    """No candidate can meet the constraints."""


class TooManyJobs(ProblemError):
    """The queue is full; try later."""


class ServerError(ProblemError):
    """The service made a mistake or is not available."""


_BY_SLUG: Mapping[str, type[ProblemError]] = {
    "invalid-model": InvalidModel,
    "unsupported-model": UnsupportedModel,
    "unsafe-model": UnsafeModel,
    "invalid-dataset": InvalidDataset,
    "unsatisfiable": Unsatisfiable,
}
_BY_STATUS: Mapping[int, type[ProblemError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: InvalidRequest,
    429: TooManyJobs,
}


def job_failed(job: Mapping[str, Any]) -> JobFailed:
    """The exception for the document of a job that ended in ``failed``."""
    kind = NoFeasibleDesign if job["end_reason"] == "no_feasible_design" else JobFailed
    return kind(str(job["id"]), job["failure"])


def from_document(document: Mapping[str, Any], status: int) -> ProblemError:
    """The exception for a problem document."""
    slug = str(document.get("type", "")).rsplit(":", 1)[-1]
    fallback = ServerError if status >= 500 else ProblemError
    return (_BY_SLUG.get(slug) or _BY_STATUS.get(status, fallback))(document, status)


def _line(error: Mapping[str, Any]) -> str:
    where = error.get("node") or error.get("pointer") or error.get("parameter") or "body"
    operator = f" ({error['operator']})" if error.get("operator") else ""
    return f"  {where}{operator}: {error.get('reason') or error.get('detail') or ''}"
