"""A service of one's own: started as a child process on a free port, stopped with everything under it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from headrace.errors import HeadraceError

_STOP_SECONDS = 30.0


class LocalService:
    """``headrace serve`` for the time of a ``with`` block.

    Attributes:
        url: where it answers.
        log: what it printed.
    """

    def __init__(
        self, home: Path, *, start_seconds: float = 90.0, environment: Mapping[str, str] | None = None
    ) -> None:
        self._home = home
        self._start_seconds = start_seconds
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.log = home / "service.log"
        self.url = ""

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {"HEADRACE_HOME": str(self._home)} | self._environment
        for name in ("HEADRACE_DATABASE_URL", "HEADRACE_BROKER_URL", "HEADRACE_TOKEN"):
            # This service has its own data: settings for another one must not leak into it.
            environment.pop(name, None)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.serve", "--host", "127.0.0.1", "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C is for the caller; the service is stopped in order by __exit__.
                start_new_session=True,
            )
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop in order (SIGTERM), and after half a minute by force."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._process = None

    def _wait_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self._start_seconds
        with httpx.Client(base_url=self.url, timeout=5.0, trust_env=False) as http:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise HeadraceError(f"the service ended while starting:\n{self._tail()}")
                try:
                    if http.get("/readyz").is_success:
                        return
                except httpx.TransportError:
                    pass  # it does not listen yet
                time.sleep(0.1)
        raise HeadraceError(f"the service was not ready after {self._start_seconds:.0f} s:\n{self._tail()}")

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
