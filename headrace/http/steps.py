"""What one call of the client does, as a sequence of steps that somebody else performs.

A call is a generator: it yields a step and is sent what came of it. So a retry, a page loop or a followed stream is
written once, and a driver of a few lines performs it blocking (``link.Link``) or with asyncio (``link.AsyncLink``).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, TypeVar

import httpx

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Request:
    """A request to send; its step gives the whole ``httpx.Response``, or throws ``httpx.TransportError``.

    Attributes:
        method: HTTP method.
        path: below the service's URL.
        params: of the query.
        headers: beside those of every request.
        content: bytes of the body.
        files: parts of a multipart body with a file name: part name -> (file name, bytes).
        fields: its other parts.
        timeout_s: seconds of silence after which it is given up; None: the client's.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    files: Mapping[str, tuple[str, bytes]] | None = None
    fields: Mapping[str, str] | None = None
    timeout_s: float | None = None

    def options(self) -> dict[str, Any]:
        """As keyword arguments of ``httpx.Client.build_request``."""
        timeout = {} if self.timeout_s is None else {"timeout": httpx.Timeout(self.timeout_s)}
        return {
            "method": self.method, "url": self.path, "params": self.params, "headers": self.headers,
            "content": self.content, "files": self.files, "data": self.fields, **timeout,
        }  # fmt: skip


@dataclass(frozen=True)
class Pause:
    """Wait; gives None."""

    seconds: float


@dataclass(frozen=True)
class Open:
    """Send a request whose answer is read piece by piece: gives the response, read only when it is a refusal."""

    request: Request
    lines: bool


@dataclass(frozen=True)
class Next:
    """Give the next line (or bytes) of the open answer, None at its end; may throw ``httpx.TransportError``."""


@dataclass(frozen=True)
class Close:
    """Leave the open answer; gives None."""


@dataclass(frozen=True)
class Emit:
    """Hand a value to whoever iterates over the call; gives None."""

    value: Any


Step: TypeAlias = Request | Pause | Open | Next | Close | Emit
Steps: TypeAlias = Generator[Step, Any, ResultT]


class Script(Generic[ResultT]):
    """A call in progress: ``step`` is what to do next, None when it is over and ``result`` is there.

    As a context manager it ends the call in order when the driver is interrupted.
    """

    result: ResultT

    def __init__(self, steps: Steps[ResultT]) -> None:
        self._steps = steps
        self.step: Step | None = None
        self.reply(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.close()

    def reply(self, value: Any) -> None:
        """Say what came of the step."""
        try:
            self.step = self._steps.send(value)
        except StopIteration as end:
            self.step, self.result = None, end.value

    def fail(self, error: httpx.TransportError) -> None:
        """Say that the step found no service."""
        try:
            self.step = self._steps.throw(error)
        except StopIteration as end:
            self.step, self.result = None, end.value
