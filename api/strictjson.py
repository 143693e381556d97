"""JSON bodies, read strictly: what two parsers could read differently, or no database can hold, is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def loads(data: bytes) -> Any:
    """Parse one JSON document.

    Raises:
        json.JSONDecodeError: not UTF-8 or not JSON, a duplicate key, NaN or Infinity, nesting or an integer beyond
            reason, a lone surrogate or NUL in a string.
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
        value = json.loads(data.decode("utf-8"), parse_constant=constant, object_pairs_hook=unique)
        text = json.dumps(value, ensure_ascii=False)
        text.encode("utf-8")
    except UnicodeError:
        refuse("text is not valid UTF-8")
    except RecursionError:
        refuse("it is nested too deeply")
    except json.JSONDecodeError:
        raise
    except ValueError:
        refuse("a number is out of range")
    if _NUL.search(text):
        refuse("a string contains NUL")
    return value


class StrictRequest(Request):
    """A request whose ``json()`` is strict."""

    async def json(self) -> Any:
        """The body as JSON; see ``loads``."""
        if not hasattr(self, "_json"):
            self._json = loads(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its JSON body with ``StrictRequest``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, given a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict
