"""When to send again: every call may be repeated safely, so all are, with jitter."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import httpx

from headrace.errors import ConnectionFailed, ProblemError, from_document
from headrace.http.sse import Event, EventParser
from headrace.http.steps import Close, Emit, Next, Open, Pause, Request, Steps

ATTEMPTS = 6
_RETRY_STATUS = frozenset({429, 502, 503, 504})
# Pings come every 15 s: a longer silence is a dead connection.
_SILENCE_SECONDS = 45.0
_DOWNLOAD_SECONDS = 600.0


def deliver(request: Request, answers: Collection[int] = ()) -> Steps[httpx.Response]:
    """Send until there is an answer, and give the successful one (2xx or 304).

    POSTs that start work carry an ``Idempotency-Key`` or are content-addressed, so everything may be repeated.

    Args:
        request: what to send.
        answers: further statuses that say what the caller wants to know, so that nothing is sent again.

    Raises:
        ProblemError: the service refused.
        ConnectionFailed: no answer after retries.
    """
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1
        try:
            answer: httpx.Response = yield request
        except httpx.TransportError as error:
            if last:
                raise ConnectionFailed(
                    f"{_service(error)} does not answer ({error}): is `headrace serve` running?"
                ) from error
            yield pause(attempt, None)
            continue
        if answer.is_success or answer.status_code in (httpx.codes.NOT_MODIFIED, *answers):
            return answer
        problem = problem_of(answer)
        if last or not (answer.status_code in _RETRY_STATUS or problem.slug == "idempotency-in-flight"):
            raise problem
        yield pause(attempt, answer.headers.get("Retry-After"))
    raise AssertionError("unreachable: the last attempt returns or raises")


def deliver_json(request: Request) -> Steps[Any]:
    """``deliver`` and decode."""
    return (yield from deliver(request)).json()


def emit_pages(request: Request, made: Callable[[dict[str, Any]], Any]) -> Steps[None]:
    """Emit ``made(item)`` for every item of a cursor-paged list."""
    query = dict(request.params)
    while True:
        page = yield from deliver_json(Request(request.method, request.path, params=query))
        for item in page["items"]:
            yield Emit(made(item))
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def all_pages(request: Request) -> Steps[list[dict[str, Any]]]:
    """Every item of a cursor-paged list."""
    items: list[dict[str, Any]] = []
    query = dict(request.params)
    while True:
        page = yield from deliver_json(Request(request.method, request.path, params=query))
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


def download(path: str, target: Path) -> Steps[Path]:
    """Stream an answer to ``target``; a partial file is never left under that name."""
    partial = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        answer: httpx.Response = yield Open(Request("GET", path, timeout_s=_DOWNLOAD_SECONDS), lines=False)
        if not answer.is_success:
            raise problem_of(answer)
        with partial.open("wb") as out:
            while (chunk := (yield Next())) is not None:
                out.write(chunk)
        yield Close()
        partial.replace(target)
    except httpx.TransportError as error:
        raise ConnectionFailed(f"{_service(error)} stopped answering during a download ({error})") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def follow(path: str, last_id: int | None, deadline: float, each: Callable[[Event], Steps[None]]) -> Steps[None]:
    """Follow a server-sent event stream to its ``end`` event, reconnecting where it left off.

    Args:
        path: of the stream.
        last_id: number of the last event seen.
        deadline: ``time.monotonic()`` at which it is over without an ``end`` event, however silent the stream is.
        each: the steps to take for an event.

    Raises:
        ProblemError: the service refused.
        ConnectionFailed: the service stayed away for all retries in a row.
    """
    failures = 0
    while (left := deadline - time.monotonic()) > 0:
        # Half of what is left of the time: a read that starts before `deadline - silence` ends before the deadline.
        silence = min(_SILENCE_SECONDS, max(0.05, left / 2))
        stream = _Stream(path, last_id, silence, deadline - silence)
        with contextlib.suppress(httpx.TransportError):  # told from an end by `ended`
            yield from stream.read(each)
        last_id = stream.last_id
        if stream.ended:
            return
        failures = 0 if stream.heard else failures
        if stream.connected and deadline - time.monotonic() <= left - silence < math.inf:
            continue  # no failure: it was cut to connect again for what is left of the time
        failures += 1
        if failures > ATTEMPTS:
            raise ConnectionFailed("the service does not answer any more; the job itself goes on")
        yield pause(failures, None)


class _Stream:
    """One connection to an event stream."""

    def __init__(self, path: str, last_id: int | None, silence: float, time_up: float) -> None:
        self._path, self._silence, self._time_up = path, silence, time_up
        self.last_id = last_id
        self.connected = self.heard = self.ended = False

    def read(self, each: Callable[[Event], Steps[None]]) -> Steps[None]:
        """Take the steps for every event until the stream ends or the first line after ``time_up``."""
        headers = {"Accept": "text/event-stream"}
        if self.last_id is not None:
            headers["Last-Event-ID"] = str(self.last_id)
        answer = yield Open(Request("GET", self._path, headers=headers, timeout_s=self._silence), lines=True)
        if not answer.is_success:
            if answer.status_code in _RETRY_STATUS:
                return
            raise problem_of(answer)
        self.connected = True
        yield from self._events(each)
        yield Close()

    def _events(self, each: Callable[[Event], Steps[None]]) -> Steps[None]:
        parser = EventParser()
        while (line := (yield Next())) is not None:
            event = parser.feed(line)
            if event is not None:
                self.heard = True
                self.last_id = self.last_id if event.id is None else event.id
                self.ended = event.event == "end"
                yield from each(event)
            if self.ended or time.monotonic() >= self._time_up:
                return


def problem_of(answer: httpx.Response) -> ProblemError:
    """The exception for an answer other than success; it has been read."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    unknown: Mapping[str, Any] = {"detail": f"HTTP {answer.status_code} from {answer.url}"}
    return from_document(document if isinstance(document, dict) else unknown, answer.status_code)


def _service(error: httpx.TransportError) -> str:
    url = error.request.url
    return f"{url.scheme}://{url.netloc.decode()}"


def pause(attempt: int, retry_after: str | None) -> Pause:
    """The wait before the next attempt: longer each time, never the same for two clients, as the service asks."""
    wait = random.uniform(0.05, min(8.0, 0.2 * 2**attempt))
    if retry_after and retry_after.isdigit():
        wait += min(30.0, float(retry_after))
    return Pause(wait)
