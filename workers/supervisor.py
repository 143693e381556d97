"""Owns child processes: starts them in the sandbox, speaks JSON lines with them, ends them with all they started."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from workers import sandbox

# Parent-death signals follow the thread that forked: this one lives as long as the process.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")
_LOG_TAIL_BYTES = 16 * 1024
_LINE_BYTES = 64 * 1024 * 1024
_TERM_SECONDS = 3.0


class ChildDiedError(Exception):
    """The child ended in the middle of a request; the message has its exit status and the end of its log."""


class TooLongError(Exception):
    """The request went over its wall-clock limit; the child was killed."""


class AbandonedError(Exception):
    """The watcher asked to stop the request; the child was killed. ``args[0]`` is what the watcher said."""


@dataclass(frozen=True)
class Finished:
    """A child that ran to its end: exit status (negative: signal), output, and the end of its log."""

    status: int
    output: bytes
    log: str


def start(command: Sequence[str], log: Path, pipe_input: bool = True) -> subprocess.Popen[bytes]:
    """Start a sandbox command in its own session; its standard error goes to ``log``."""

    def spawn() -> subprocess.Popen[bytes]:
        with log.open("wb") as errors:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE if pipe_input else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=sandbox.environment(),
                cwd="/tmp",
                start_new_session=True,
            )

    return _STARTER.submit(spawn).result()


def end(process: subprocess.Popen[bytes], grace_seconds: float = _TERM_SECONDS) -> None:
    """TERM, then KILL, the process group and every descendant; returns when they are gone."""
    family = _family(process)
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        if number == signal.SIGKILL:
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
        if not _wait_gone(process, family, seconds):
            break
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        leader = psutil.Process(process.pid)
        return [*leader.children(recursive=True), leader]
    except psutil.NoSuchProcess:
        return []


def _wait_gone(process: subprocess.Popen[bytes], family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Who still runs after ``seconds``. A zombie does not run, whoever is to collect it."""
    deadline = time.monotonic() + seconds
    while True:
        process.poll()
        family = [member for member in family if _runs(member)]
        if not family or time.monotonic() >= deadline:
            return family
        time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def tail(log: Path) -> str:
    """The end of a log file, as printable text."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text).strip()


def run(command: Sequence[str], log: Path, seconds: float, output_bytes: int) -> Finished:
    """Run a command to its end and take its standard output.

    Raises:
        TooLongError: it took longer than ``seconds`` or wrote more than ``output_bytes``; it was killed.
    """
    process = start(command, log, pipe_input=False)
    try:
        reader = _Reader(process, output_bytes)
        deadline = time.monotonic() + seconds
        while reader.fill(deadline - time.monotonic()):
            if time.monotonic() >= deadline:
                raise TooLongError(f"took longer than {seconds:g} s")
        process.wait(timeout=max(1.0, deadline - time.monotonic()))
        return Finished(process.returncode, bytes(reader.buffer), tail(log))
    except subprocess.TimeoutExpired as error:
        raise TooLongError(f"took longer than {seconds:g} s") from error
    finally:
        end(process)


class _Reader:
    """Reads a child's standard output without blocking longer than asked."""

    def __init__(self, process: subprocess.Popen[bytes], limit_bytes: int) -> None:
        assert process.stdout is not None
        self.descriptor = process.stdout.fileno()
        self.limit_bytes = limit_bytes
        self.buffer = bytearray()

    def fill(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for more bytes; False when there will be no more."""
        ready, _, _ = select.select([self.descriptor], [], [], max(0.0, seconds))
        if not ready:
            return True
        chunk = os.read(self.descriptor, 1 << 16)
        self.buffer += chunk
        if len(self.buffer) > self.limit_bytes:
            raise TooLongError(f"wrote more than {self.limit_bytes} bytes")
        return bool(chunk)

    def line(self) -> bytes | None:
        """The next whole line, None when there is none yet."""
        end_of_line = self.buffer.find(b"\n")
        if end_of_line < 0:
            return None
        line = bytes(self.buffer[:end_of_line])
        del self.buffer[: end_of_line + 1]
        return line


class Child:
    """A long-lived child that answers one JSON request at a time."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        self._process = start(command, log)
        self._reader = _Reader(self._process, _LINE_BYTES)

    @property
    def pid(self) -> int:
        """Process id of the outermost process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it can take a request."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it with everything it started."""
        end(self._process)

    def call(
        self,
        request: Mapping[str, Any],
        seconds: float,
        tick_seconds: float,
        watch: Callable[[str | None], str | None],
    ) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Args:
            request: one JSON object.
            seconds: wall-clock limit.
            tick_seconds: how often ``watch`` is called.
            watch: given the stage the child last named; a text from it abandons the request.

        Raises:
            ChildDiedError, TooLongError, AbandonedError: the child is gone then, with all it started.
        """
        try:
            return self._call(request, seconds, tick_seconds, watch)
        except BaseException:
            # Whatever went wrong, a child in the middle of a request cannot be used again.
            self.close()
            raise

    def _call(
        self,
        request: Mapping[str, Any],
        seconds: float,
        tick_seconds: float,
        watch: Callable[[str | None], str | None],
    ) -> dict[str, Any]:
        self._send(request)
        deadline = time.monotonic() + seconds
        next_tick = time.monotonic() + tick_seconds
        stage: str | None = None
        while True:
            while (line := self._reader.line()) is not None:
                message = json.loads(line)
                if "stage" not in message:
                    return dict(message)
                stage = str(message["stage"])[:64]
            now = time.monotonic()
            if now >= deadline:
                raise TooLongError(f"took longer than {seconds:g} s (in stage {stage})")
            if now >= next_tick:
                verdict = watch(stage)
                if verdict is not None:
                    raise AbandonedError(verdict)
                next_tick = time.monotonic() + tick_seconds
            if not self._reader.fill(min(deadline, next_tick) - time.monotonic()):
                self._process.wait()
                raise ChildDiedError(f"the evaluator ended with status {self._process.returncode}\n{tail(self._log)}")

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ChildDiedError(f"the evaluator is gone\n{tail(self._log)}") from error
