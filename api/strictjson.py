"""Bodies, read strictly: what two parsers could read differently, or no database can hold, is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.params import Form
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers

from api.errors import Problem

# No body of the contract is a quarter as deep. A limit of our own, because Python's depends on its version.
MAX_DEPTH = 64
_TOKEN = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def loads(data: bytes) -> Any:
    """Parse one JSON document.

    Raises:
        json.JSONDecodeError: not UTF-8 or not JSON, a duplicate key, NaN or Infinity, lists and objects nested deeper
            than ``MAX_DEPTH``, an integer beyond reason, a lone surrogate or NUL in a string.
    """

    def refuse(reason: str) -> NoReturn:
        raise json.JSONDecodeError(reason, "", 0)

    def constant(name: str) -> NoReturn:
        refuse(f"{name} is not a JSON number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            refuse("an object repeats a key")
        return result

    try:
        source = data.decode("utf-8")
        if _deeper_than(source, MAX_DEPTH):
            refuse(f"lists and objects are nested deeper than {MAX_DEPTH}")
        value = json.loads(source, parse_constant=constant, object_pairs_hook=unique)
        text = json.dumps(value, ensure_ascii=False)
        text.encode("utf-8")
    except UnicodeError:
        refuse("text is not valid UTF-8")
    except json.JSONDecodeError:
        raise
    except ValueError:
        refuse("a number is out of range")
    if _NUL.search(text):
        refuse("a string contains NUL")
    return value


def _deeper_than(source: str, limit: int) -> bool:
    """Whether more than ``limit`` lists and objects are open anywhere, told without recursion and before parsing."""
    depth, quoted = 0, False
    for token in _TOKEN.finditer(source):
        if token[0] == '"':
            quoted = not quoted
        elif not quoted and token[0] in _STEPS:
            depth += _STEPS[token[0]]
            if depth > limit:
                return True
    return False


class StrictRequest(Request):
    """A request whose ``json()`` is strict."""

    async def json(self) -> Any:
        """The body as JSON; see ``loads``."""
        if not hasattr(self, "_json"):
            self._json = loads(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its JSON body with ``StrictRequest``, and no body of another media type than its own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, given a strict request."""
        handler = super().get_route_handler()
        form = self.body_field is not None and isinstance(self.body_field.field_info, Form)
        wanted = "multipart/form-data" if form else "application/json"

        async def strict(request: Request) -> Response:
            if self.body_field is not None and not _fits(request.headers, wanted):
                raise Problem("unsupported-media-type", f"Send the body as {wanted}, with that Content-Type.")
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def _fits(headers: Headers, wanted: str) -> bool:
    """Whether a body with these headers may be of the wanted media type; a request without a body fits."""
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not given:
        return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
    if wanted == "application/json":
        return given == wanted or given.endswith("+json")
    return given in (wanted, "application/x-www-form-urlencoded")  # a form, so what it lacks can be named
