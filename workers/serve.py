"""The embedded service, one command: ``python -m workers.serve [--host H] [--port N]``.

Starts Valkey, migrates the database, then starts the API and the Celery workers, restarts what dies, and ends
everything on SIGTERM or Ctrl-C. Every child runs under ``workers/leash.py``: when this process is killed in any
way, its whole tree goes with it.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from db import migrate
from db.errors import StoreError
from workers import names, valkey
from workers.binding import RefusedError, port_number, refuse_unsafe_binding, slot_number, usable_port
from workers.settings import default_home, from_environment

_log = logging.getLogger("headrace.serve")

_LEASH = Path(__file__).resolve().parent / "leash.py"
_ROOT = _LEASH.parent.parent
_STOP_SECONDS = 15.0
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_LOG_BYTES = 8 << 20
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Part:
    """One child of the service: its command, and how often it had to be restarted lately."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_seconds: float = 0.0
    restarts: int = 0

    def start(self) -> None:
        """Start it under the leash, its output appended to its log."""
        leash = [sys.executable, "-I", "-S", str(_LEASH), "--parent", str(os.getpid()), "--grace", "12", "--"]
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".1.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*leash, *self.command],
                env=dict(self.environment),
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def last_words(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text("utf-8", errors="replace")[-4000:].strip().splitlines()
        return lines[-1] if lines else "without a word"

    def restart_if_dead(self) -> None:
        """Start it again when it ended; ever more slowly while it keeps dying at once."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started_at
        if lived < self.pause_seconds:
            return
        self.pause_seconds = min(_LONGEST_PAUSE_SECONDS, max(0.5, self.pause_seconds * 2)) if lived < 60 else 0.0
        self.restarts += 1
        _log.warning("%s ended with status %s: restarting it", self.name, self.process.returncode)
        self.start()


@dataclass
class Service:
    """All parts of one data directory."""

    home: Path
    parts: list[Part] = field(default_factory=list)
    stopping: bool = False

    def add(self, part: Part) -> None:
        """Start a part and keep it alive."""
        part.start()
        self.parts.append(part)

    def watch(self) -> None:
        """Keep every part alive until told to stop."""
        while not self.stopping:
            for part in self.parts:
                part.restart_if_dead()
            time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """End every part; the broker last, so that workers can still give their work back."""
        self._end(self.parts[1:])
        self._end(self.parts[:1])

    def _end(self, parts: Sequence[Part]) -> None:
        processes = [part.process for part in parts if part.process is not None]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in processes:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start(home: Path, host: str, port: int, slots: int, with_api: bool) -> Service:
    """Start all parts and return when the API answers.

    Raises:
        RefusedError: the binding is unsafe, the directory is in use, or a part does not come up.
    """
    try:
        environment = _environment(home, host, slots)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    service = Service(home)
    try:
        command = valkey.prepare(home)
    except (FileNotFoundError, PermissionError) as error:
        raise RefusedError(str(error)) from error
    service.add(Part("valkey", command, environment, logs / "valkey.log"))
    try:
        valkey.wait_ready(home)
        migrate.upgrade(environment["HEADRACE_DATABASE_URL"])
        for name, queue, threads in (("search", names.DRIVE_QUEUE, 16), ("evaluate", names.EVALUATE_QUEUE, slots)):
            command = _worker_command(name, queue, threads)
            service.add(Part(f"worker-{name}", command, environment, logs / f"worker-{name}.log"))
        if with_api:
            service.add(Part("api", _api_command(host, port), environment, logs / "api.log"))
            _wait_http(service, host, port)
    except (TimeoutError, RefusedError, StoreError) as error:
        service.stop()
        raise RefusedError(f"{error}; the logs are in {logs}") from error
    return service


def _environment(home: Path, host: str, slots: int) -> dict[str, str]:
    settings = from_environment({**os.environ, "HEADRACE_HOME": str(home)})
    return {
        **os.environ,
        "HEADRACE_HOME": str(home),
        "HEADRACE_DATABASE_URL": settings.database_url,
        "HEADRACE_BROKER_URL": valkey.broker_url(home),
        "HEADRACE_HOST": host,
        "HEADRACE_SLOTS": str(slots),
        # The children run modules of ours from wherever this one was found.
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(_ROOT), *_paths(os.environ.get("PYTHONPATH", ""))])),
    }


def _paths(text: str) -> list[str]:
    return [str(Path(path).resolve()) for path in text.split(os.pathsep) if path]


def _worker_command(name: str, queue: str, threads: int) -> list[str]:
    # Threads, not forks: they only wait for the evaluator children and the database, and nothing can outlive them.
    options = ["--pool", "threads", "--concurrency", str(threads), "--queues", queue, "--loglevel", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"{name}@%h"]
    return [sys.executable, "-m", "celery", "--app", "workers.app", "worker", *options, *quiet]


def _api_command(host: str, port: int) -> list[str]:
    options = ["--host", host, "--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "5"]
    return [sys.executable, "-m", "uvicorn", "api.main:create_app", "--factory", *options]


def _wait_http(service: Service, host: str, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    url = f"{_url(host, port)}/healthz"
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            api = service.parts[-1]
            if api.process is not None and api.process.poll() is not None:
                raise RefusedError(f"the API ended: {api.last_words()}") from error
            if time.monotonic() > deadline:
                raise RefusedError(f"the API does not answer at {url}: {error}") from error
            time.sleep(0.05)


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


@contextlib.contextmanager
def _sole_owner(home: Path) -> Iterator[IO[str]]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "serve.lock").open("w")
    except OSError as error:
        raise RefusedError(f"the data directory {home} cannot be used ({error.strerror}): set HEADRACE_HOME") from error
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(f"another service runs on {home}: stop it, or set another HEADRACE_HOME") from None
        yield lock


def _serve(arguments: argparse.Namespace) -> None:
    home = default_home(os.environ)
    port = arguments.port if arguments.without_api else usable_port(arguments.host, arguments.port)
    with _sole_owner(home):
        service = start(home, arguments.host, port, arguments.slots, not arguments.without_api)
        announcement = home / "serve.json"

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            service.stopping = True

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, on_signal)
        if arguments.until_eof:
            threading.Thread(target=_stop_at_eof, args=(service,), daemon=True).start()
        try:
            announcement.write_text(json.dumps({"url": _url(arguments.host, port), "pid": os.getpid()}))
            print(f"Headrace listens on {_url(arguments.host, port)} (data in {home})", flush=True)
            service.watch()
        finally:
            announcement.unlink(missing_ok=True)
            service.stop()


def _stop_at_eof(service: Service) -> None:
    """Whoever holds the other end of standard input is gone, or has said all there is to say."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    service.stopping = True


def main() -> int:
    """Parse, serve until told to stop; 2 when the service refuses to start."""
    parser = argparse.ArgumentParser(prog="headrace serve", description="Run the API and its workers on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=port_number, default=8765, help="port; 0 takes a free one (default %(default)s)")
    parser.add_argument(
        "--slots", type=slot_number, default=os.cpu_count() or 2, help="evaluations at a time (default: cores)"
    )
    parser.add_argument("--without-api", action="store_true", help="workers and broker only")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends, as on SIGTERM")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        refuse_unsafe_binding(arguments.host, os.environ.get("HEADRACE_TOKEN"))
        _serve(arguments)
    except RefusedError as error:
        print(f"headrace: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
