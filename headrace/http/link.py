"""The two drivers: a connection pool to one service that performs the steps of a call, blocking or with asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

import httpx

from headrace.http.steps import Close, Emit, Next, Open, Pause, Request, Script, Step, Steps

ResultT = TypeVar("ResultT")


class Link:
    """Performs calls, blocking. Safe to use from several threads."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        self._http = httpx.Client(**_settings(url, token, timeout_s))

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def run(self, steps: Steps[ResultT]) -> ResultT:
        """Perform a call and give its result."""
        with Script(steps) as script, _Reader(self._http) as reader:
            while script.step is not None:
                _advance(script, reader)
            return script.result

    def iterate(self, steps: Steps[None]) -> Iterator[Any]:
        """Perform a call and give what it emits."""
        with Script(steps) as script, _Reader(self._http) as reader:
            while script.step is not None:
                if isinstance(script.step, Emit):
                    yield script.step.value
                    script.reply(None)
                else:
                    _advance(script, reader)


class AsyncLink:
    """Performs calls with asyncio."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        self._http = httpx.AsyncClient(**_settings(url, token, timeout_s))

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def run(self, steps: Steps[ResultT]) -> ResultT:
        """Perform a call and give its result."""
        with Script(steps) as script:
            async with _AsyncReader(self._http) as reader:
                while script.step is not None:
                    await _advance_async(script, reader)
                return script.result

    async def iterate(self, steps: Steps[None]) -> AsyncIterator[Any]:
        """Perform a call and give what it emits."""
        with Script(steps) as script:
            async with _AsyncReader(self._http) as reader:
                while script.step is not None:
                    if isinstance(script.step, Emit):
                        yield script.step.value
                        script.reply(None)
                    else:
                        await _advance_async(script, reader)


def _settings(url: str, token: str | None, timeout_s: float) -> dict[str, Any]:
    headers = {"User-Agent": "headrace-python", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    # trust_env would send loopback traffic, token included, to a proxy named in the environment.
    timeout = httpx.Timeout(timeout_s, connect=5.0)
    return {"base_url": url, "headers": headers, "timeout": timeout, "trust_env": False}


def _advance(script: Script[Any], reader: _Reader) -> None:
    assert script.step is not None
    try:
        found = reader.perform(script.step)
    except httpx.TransportError as error:
        script.fail(error)
    else:
        script.reply(found)


async def _advance_async(script: Script[Any], reader: _AsyncReader) -> None:
    assert script.step is not None
    try:
        found = await reader.perform(script.step)
    except httpx.TransportError as error:
        script.fail(error)
    else:
        script.reply(found)


class _Reader:
    """Performs single steps; holds the answer that is open, if one is."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._answer: httpx.Response | None = None
        self._pieces: Iterator[Any] = iter(())

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def perform(self, step: Step) -> Any:
        match step:
            case Request():
                return self._http.send(self._http.build_request(**step.options()))
            case Pause():
                time.sleep(step.seconds)
            case Open():
                return self._open(step)
            case Next():
                return next(self._pieces, None)
            case Close():
                self._close()
            case Emit():
                raise TypeError("a call that emits is iterated over, not run")
        return None

    def _open(self, step: Open) -> httpx.Response:
        self._close()
        answer = self._http.send(self._http.build_request(**step.request.options()), stream=True)
        self._answer = answer
        if not answer.is_success:
            answer.read()
        else:
            self._pieces = answer.iter_lines() if step.lines else answer.iter_bytes()
        return answer

    def _close(self) -> None:
        if self._answer is not None:
            self._answer.close()
        self._answer, self._pieces = None, iter(())


class _AsyncReader:
    """As ``_Reader``."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._answer: httpx.Response | None = None
        self._pieces: AsyncIterator[Any] | None = None

    async def __aenter__(self) -> _AsyncReader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def perform(self, step: Step) -> Any:
        match step:
            case Request():
                return await self._http.send(self._http.build_request(**step.options()))
            case Pause():
                await asyncio.sleep(step.seconds)
            case Open():
                return await self._open(step)
            case Next():
                assert self._pieces is not None
                return await anext(self._pieces, None)
            case Close():
                await self._close()
            case Emit():
                raise TypeError("a call that emits is iterated over, not run")
        return None

    async def _open(self, step: Open) -> httpx.Response:
        await self._close()
        answer = await self._http.send(self._http.build_request(**step.request.options()), stream=True)
        self._answer = answer
        if not answer.is_success:
            await answer.aread()
        else:
            self._pieces = answer.aiter_lines() if step.lines else answer.aiter_bytes()
        return answer

    async def _close(self) -> None:
        if self._answer is not None:
            await self._answer.aclose()
        self._answer, self._pieces = None, None
