"""HTTP with retries: every call the client makes may be repeated safely, so all are retried with jitter."""

from __future__ import annotations

import contextlib
import json
import math
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from headrace.errors import ConnectionFailed, HeadraceError, from_document

_RETRY_STATUS = frozenset({429, 502, 503, 504})
_ATTEMPTS = 6
# Pings come every 15 s: a longer silence is a dead connection.
_SILENCE_SECONDS = 45.0


@dataclass(frozen=True)
class Event:
    """One server-sent event: the job's sequence number, the kind, and the decoded data."""

    id: int | None
    event: str
    data: Any


class Transport:
    """A connection pool to one service. Safe to use from several threads."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        headers = {"User-Agent": "headrace-python", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # trust_env would send loopback traffic, token included, to a proxy named in the environment.
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=httpx.Timeout(timeout_s, connect=5.0), trust_env=False
        )
        self.url = url

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(self, method: str, path: str, *, repeat: bool = True, **options: Any) -> httpx.Response:
        """Send a request and return the successful answer (2xx or 304).

        Args:
            method: HTTP method.
            path: path below the service's URL.
            repeat: whether the request may be sent again after a lost answer. POSTs that start work carry an
                ``Idempotency-Key`` or are content-addressed, so they may.
            **options: passed to httpx (``json``, ``params``, ``files``, ``headers``).

        Raises:
            ProblemError: the service refused.
            ConnectionFailed: no answer after retries.
            HeadraceError: the request holds what JSON cannot carry, such as NaN.
        """
        attempts = _ATTEMPTS if repeat else 1
        for attempt in range(attempts):
            last = attempt == attempts - 1
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if last:
                    raise ConnectionFailed(
                        f"{self.url} does not answer ({error}): is `headrace serve` running?"
                    ) from error
                _pause(attempt, None)
                continue
            except (TypeError, ValueError) as error:
                raise HeadraceError(f"the request cannot be written as JSON: {error}") from error
            if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
                return answer
            problem = from_document(_document(answer), answer.status_code)
            if last or not (answer.status_code in _RETRY_STATUS or problem.slug == "idempotency-in-flight"):
                raise problem
            _pause(attempt, answer.headers.get("Retry-After"))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def json(self, method: str, path: str, **options: Any) -> Any:
        """``call`` and decode the JSON answer."""
        return self.call(method, path, **options).json()

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """All items of a cursor-paged list."""
        query = {k: v for k, v in params.items() if v is not None}
        while True:
            page = self.json("GET", path, params=query)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def download(self, path: str, target: Path) -> Path:
        """Stream an answer to ``target``; a partial file is never left under that name."""
        partial = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._http.stream("GET", path, timeout=600.0) as answer:
                if not answer.is_success:
                    answer.read()
                    raise from_document(_document(answer), answer.status_code)
                with partial.open("wb") as out:
                    for chunk in answer.iter_bytes():
                        out.write(chunk)
            partial.replace(target)
        except httpx.TransportError as error:
            raise ConnectionFailed(f"{self.url} stopped answering during a download ({error})") from error
        finally:
            partial.unlink(missing_ok=True)
        return target

    def events(self, path: str, last_id: int | None = None, deadline: float = math.inf) -> Iterator[Event]:
        """Follow a server-sent event stream to its ``end`` event, reconnecting where it left off.

        Args:
            path: of the stream.
            last_id: number of the last event seen.
            deadline: ``time.monotonic()`` at which the iteration ends without an ``end`` event, however silent the
                stream is.

        Raises:
            ProblemError: the service refused.
            ConnectionFailed: the service stayed away for all retries in a row.
        """
        failures = 0
        while (left := deadline - time.monotonic()) > 0:
            headers = {"Accept": "text/event-stream"}
            if last_id is not None:
                headers["Last-Event-ID"] = str(last_id)
            # Half of what is left of the time: a read that starts before `deadline - silence` ends before the deadline.
            silence = min(_SILENCE_SECONDS, max(0.05, left / 2))
            connected = False
            with (
                contextlib.suppress(httpx.TransportError),
                self._http.stream("GET", path, headers=headers, timeout=httpx.Timeout(silence)) as answer,
            ):
                if answer.is_success:
                    connected = True
                    for event in _parse_events(_until(answer.iter_lines(), deadline - silence)):
                        failures = 0
                        last_id = event.id if event.id is not None else last_id
                        yield event
                        if event.event == "end":
                            return
                elif answer.status_code not in _RETRY_STATUS:
                    answer.read()
                    raise from_document(_document(answer), answer.status_code)
            if connected and deadline - time.monotonic() <= left - silence < math.inf:
                continue  # no failure: it was cut to connect again for what is left of the time
            failures += 1
            if failures > _ATTEMPTS:
                raise ConnectionFailed(f"{self.url} does not answer any more; the job itself goes on")
            _pause(failures, None)


def _until(lines: Iterator[str], time_up: float) -> Iterator[str]:
    """Lines until the first one after ``time_up``."""
    for line in lines:
        yield line
        if time.monotonic() >= time_up:
            return


def _parse_events(lines: Iterator[str]) -> Iterator[Event]:
    """Decode the event-stream format: fields up to a blank line make one event; comments are pings."""
    kind, ident, data = "message", None, list[str]()
    for line in lines:
        if line:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                kind = value
            elif field == "id" and value.isdigit():
                ident = int(value)
            elif field == "data":
                data.append(value)
        else:
            if data or kind == "end":
                yield Event(ident, kind, json.loads("\n".join(data)) if data else None)
            kind, ident, data = "message", None, []


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"detail": f"HTTP {answer.status_code} from {answer.url}"}


def _pause(attempt: int, retry_after: str | None) -> None:
    wait = random.uniform(0.05, min(8.0, 0.2 * 2**attempt))
    if retry_after and retry_after.isdigit():
        wait += min(30.0, float(retry_after))
    time.sleep(wait)
