"""The event-stream format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One server-sent event: the job's sequence number, the kind, and the decoded data."""

    id: int | None
    event: str
    data: Any


class EventParser:
    """Fields up to a blank line make one event; comments are pings."""

    _kind: str
    _id: int | None
    _data: list[str]

    def __init__(self) -> None:
        self._clear()

    def feed(self, line: str) -> Event | None:
        """Take a line; the event that it completes, if it does."""
        if not line:
            return self._complete()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._kind = value
        elif field == "id" and value.isdigit():
            self._id = int(value)
        elif field == "data":
            self._data.append(value)
        return None

    def _complete(self) -> Event | None:
        kind, ident, data = self._kind, self._id, self._data
        self._clear()
        if data or kind == "end":
            return Event(ident, kind, json.loads("\n".join(data)) if data else None)
        return None

    def _clear(self) -> None:
        self._kind, self._id, self._data = "message", None, []
