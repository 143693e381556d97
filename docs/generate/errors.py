"""``reference/errors.md``: problem types of the service, exceptions of the client and of the engine."""

from __future__ import annotations

import inspect
from types import ModuleType

import headrace.errors
import hwgen.errors
from api.errors import PROBLEMS, TYPE_PREFIX
from docs.generate.markdown import code, line, page, table
from headrace.errors import from_document


def write() -> str:
    """The page."""
    problems = [
        (code(slug), status, title, code(type(from_document({"type": TYPE_PREFIX + slug}, status)).__name__))
        for slug, (status, title) in PROBLEMS.items()
    ]
    return page(
        "Errors",
        "`api.errors.PROBLEMS`, `headrace.errors` and `hwgen.errors`",
        f"Every 4xx and 5xx answer is a problem document (RFC 9457). Its `type` is `{TYPE_PREFIX}` and a slug. "
        "`detail` says what to do; `errors[]` names the places.",
        table(["slug", "status", "meaning", "raised by the client as"], problems),
        "## Exceptions of the client",
        table(["exception", "is a", "means"], _exceptions(headrace.errors)),
        "## Exceptions of the engine",
        table(["exception", "is a", "means"], _exceptions(hwgen.errors)),
    )


def _exceptions(module: ModuleType) -> list[tuple[str, str, str]]:
    kinds = [k for _, k in inspect.getmembers(module, inspect.isclass) if issubclass(k, Exception)]
    own = [kind for kind in kinds if kind.__module__ == module.__name__]
    return [(code(kind.__name__), code(kind.__bases__[0].__name__), line(kind.__doc__)) for kind in own]
