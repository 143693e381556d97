"""Exit statuses of the ``headrace`` command. docs/cli.md is tested against this table."""

from __future__ import annotations

from enum import IntEnum

from headrace.errors import (
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    JobFailed,
    NoFeasibleDesign,
    NotFound,
    ServerError,
    TooLarge,
    TooManyJobs,
    Unauthorized,
)


class Exit(IntEnum):
    """What became of a command; other numbers are never returned."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    NO_DESIGN = 3
    UNREACHABLE = 4
    REFUSED = 5
    NOT_FOUND = 6
    CONFLICT = 7
    UNAUTHORIZED = 8
    JOB_FAILED = 9
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done",
    Exit.ERROR: "another error, such as a missing file or package",
    Exit.USAGE: "wrong usage of the command",
    Exit.NO_DESIGN: "no feasible design: the job ended without one, or has none yet",
    Exit.UNREACHABLE: "no service answers, or it cannot answer now",
    Exit.REFUSED: "the service refused a job, a model or a dataset; or its queue is full",
    Exit.NOT_FOUND: "no such job, trial, sweep, model, dataset or device, or it was deleted",
    Exit.CONFLICT: "the job is in a state that does not allow this",
    Exit.UNAUTHORIZED: "the token is missing or wrong",
    Exit.JOB_FAILED: "the job that was waited for failed for another reason, or was cancelled",
    Exit.INTERRUPTED: "interrupted; jobs already submitted go on",
}
# The first that fits.
_OF_ERROR: tuple[tuple[type[Exception], Exit], ...] = (
    (NoFeasibleDesign, Exit.NO_DESIGN),
    (JobFailed, Exit.JOB_FAILED),
    (ConnectionFailed, Exit.UNREACHABLE),
    (ServerError, Exit.UNREACHABLE),
    (InvalidRequest, Exit.REFUSED),
    (TooLarge, Exit.REFUSED),
    (TooManyJobs, Exit.REFUSED),
    (NotFound, Exit.NOT_FOUND),
    (Conflict, Exit.CONFLICT),
    (Unauthorized, Exit.UNAUTHORIZED),
)


def exit_of(error: Exception) -> Exit:
    """The exit status for an error."""
    return next((status for kind, status in _OF_ERROR if isinstance(error, kind)), Exit.ERROR)
