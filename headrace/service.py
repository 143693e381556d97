"""A service of one's own: started as a child process, stopped with everything under it."""

from __future__ import annotations

import importlib.util
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

INSTALL = "pip install 'headrace[service]', or in a checkout: pip install . ./service"
_STOP_SECONDS = 30.0
# Settings of a deployment: a service with data of its own must not pick them up.
_OF_ANOTHER = ("HEADRACE_DATABASE_URL", "HEADRACE_BROKER_URL", "HEADRACE_TOKEN")


def code() -> Path | None:
    """The folder that holds the service's packages; None where they are not installed."""
    spec = importlib.util.find_spec("workers")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        # Somebody else's package may have that name too.
        if (Path(place) / "serve.py").is_file() and (Path(place) / "leash.py").is_file():
            return Path(place).resolve().parent
    return None


def require_code() -> Path:
    """The folder that holds the service's packages.

    Raises:
        HeadraceError: they are not installed; the message says how to install them.
    """
    found = code()
    if found is None:
        raise HeadraceError(f"the service is not installed here: {INSTALL}")
    return found


def command(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command line and environment that run a module of the service, wherever this process found it.

    Raises:
        HeadraceError: the service is not installed.
    """
    paths = [str(require_code()), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A file of the user's directory named like one of ours (``api.py``) must not take its place.
    found = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
    return [sys.executable, "-m", module, *arguments], os.environ | found


class LocalService:
    """``headrace serve`` for the time of a ``with`` block, and never longer than this process.

    Attributes:
        url: where it answers.
        log: what it printed.
    """

    def __init__(
        self,
        home: Path,
        *,
        start_seconds: float = 90.0,
        environment: Mapping[str, str] | None = None,
        preferred_port: int = 0,
        of_user: bool = False,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            home: its data.
            start_seconds: how long it may take until it is ready.
            environment: variables to set for it.
            preferred_port: taken when it is free; else, and for 0, any free one.
            of_user: it has the database, broker and token that the user's environment names, not those of its home.
        """
        self._home = home
        self._start_seconds = start_seconds
        self._environment = dict(environment or {})
        self._port = preferred_port
        self._left_out = () if of_user else _OF_ANOTHER
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self.log = home / "service.log"
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return when it is ready.

        Raises:
            HeadraceError: it is not installed, or does not come up.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        port = _free_port(self._port)
        self.url = f"http://127.0.0.1:{port}"
        arguments, environment = command("workers.serve", "--host", "127.0.0.1", "--port", str(port), "--until-eof")
        environment |= {"HEADRACE_HOME": str(self._home)} | self._environment
        for name in self._left_out:
            environment.pop(name, None)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments,
                # Held open until stop(): however this process ends, the service reads the end of it and stops.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C is for the caller; the service is stopped in order by stop().
                start_new_session=True,
            )
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise

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
        if self._process.stdin is not None:
            self._process.stdin.close()
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
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")[-3000:]


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe:
            # A port that a service left a moment ago is free, as uvicorn sees it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise HeadraceError("no port is free on 127.0.0.1")
