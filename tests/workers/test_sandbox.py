"""The sandbox isolates and cleans up; without namespaces it still cleans up, and says that it does not isolate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.workers.service import ROOT, processes_with
from workers import sandbox, supervisor
from workers.sandbox import Limits, Sandbox

LIMITS = Limits(memory_bytes=2 << 30, file_bytes=1 << 20)
DEGRADED = Sandbox("process-tree", None, "for the test")


def both() -> list[object]:
    return [pytest.param(sandbox.detect(), id=sandbox.detect().mode), pytest.param(DEGRADED, id="degraded")]


def inside(box: Sandbox, script: str, tmp_path: Path, **more: object) -> supervisor.Finished:
    command = box.command(["-c", script], LIMITS, ("workers",), **more)  # type: ignore[arg-type]
    return supervisor.run(command, tmp_path / "log", 30.0, 1 << 20)


def test_this_machine_isolates() -> None:
    assert sandbox.detect().mode == "namespaces", sandbox.detect().reason


PROBES = """
import json, os, socket, subprocess, pathlib
def attempt(call):
    try:
        call()
        return "did"
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "network": attempt(lambda: socket.create_connection(("1.1.1.1", 53), 2)),
    "shadow": attempt(lambda: open("/etc/shadow")),
    "passwd": attempt(lambda: open("/etc/passwd")),
    "write_usr": attempt(lambda: open("/usr/x", "w")),
    "write_code": attempt(lambda: open(os.environ["PYTHONPATH"].split(":")[0] + "/workers/x", "w")),
    "home": attempt(lambda: os.listdir("/home")),
    "others": len([p for p in os.listdir("/proc") if p.isdigit()]),
    "secret": os.environ.get("HEADRACE_TOKEN"),
    "kill_parent": attempt(lambda: os.kill(1, 9)) if os.getpid() != 1 else "is 1",
    "mount": subprocess.run(["mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True).returncode,
    "big_file": attempt(lambda: pathlib.Path("/tmp/big").write_bytes(bytes(2 << 20))),
}))
"""


def test_nothing_of_the_host_is_in_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TOKEN", "a-secret-of-the-service")
    done = inside(sandbox.detect(), PROBES, tmp_path)
    seen = json.loads(done.output)
    assert seen["network"] != "did" and seen["shadow"] != "did" and seen["passwd"] != "did", seen
    assert seen["write_usr"] != "did" and seen["write_code"] != "did" and seen["home"] != "did", seen
    assert seen["secret"] is None and seen["mount"] != 0 and seen["big_file"] == "OSError", seen
    assert seen["others"] < 6


@pytest.mark.parametrize("box", both())
def test_secrets_of_the_environment_stay_outside(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE_URL", "postgresql://u:secret@h/d")
    done = inside(box, "import os; print(dict(os.environ))", tmp_path)
    assert b"secret" not in done.output and b"PYTHONPATH" in done.output


@pytest.mark.parametrize("box", both())
def test_no_module_comes_from_the_working_directory(box: Sandbox, tmp_path: Path) -> None:
    """Without namespaces that is /tmp of the host: a file there would run as the worker's user."""
    done = inside(box, "import os, sys; print(os.getcwd() in map(os.path.abspath, sys.path), os.getcwd())", tmp_path)
    assert done.output.split() == [b"False", b"/tmp"]


@pytest.mark.parametrize("box", both())
def test_memory_is_bounded(box: Sandbox, tmp_path: Path) -> None:
    done = inside(box, "x = bytearray(3 << 30)", tmp_path)
    assert done.status == 1 and "MemoryError" in done.log


def test_only_named_places_are_writable(tmp_path: Path) -> None:
    shown, writable = tmp_path / "shown", tmp_path / "writable"
    for place in (shown, writable):
        place.mkdir()
    script = f"open({str(writable / 'a')!r}, 'w').write('x'); print(open({str(shown)!r} + '/b', 'w'))"
    done = inside(sandbox.detect(), script, tmp_path, read_only=[shown], writable=[writable])
    assert done.status == 1 and "Read-only" in done.log
    assert (writable / "a").read_text() == "x"


STUBBORN = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["setsid", "sh", "-c", "trap '' TERM HUP; (sleep {0} &) ; sleep {0} & wait"])
print("up", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("box", both())
def test_time_limit_ends_double_forks_in_own_sessions(box: Sandbox, tmp_path: Path) -> None:
    hang = str(70000 + os.getpid())
    command = box.command(["-c", STUBBORN.format(hang)], LIMITS, ())
    began = time.monotonic()
    with pytest.raises(supervisor.TooLongError, match="longer than 1"):
        supervisor.run(command, tmp_path / "log", 1.0, 1 << 20)
    assert time.monotonic() - began < 8
    assert processes_with(hang) == []


@pytest.mark.parametrize("mode", ["namespaces", "degraded"])
def test_starter_killed_takes_everything_along(mode: str, tmp_path: Path) -> None:
    hang = str(80000 + os.getpid())
    script = f"""
import pathlib, sys
from workers import sandbox, supervisor
box = sandbox.detect()
assert (box.mode == "namespaces") == {mode == "namespaces"}
command = box.command(["-c", {STUBBORN.format(hang)!r}], sandbox.Limits(2 << 30, 1 << 20), ())
supervisor.run(command, pathlib.Path({str(tmp_path / "log")!r}), 100, 1 << 20)
"""
    degraded = {"HEADRACE_BWRAP": "/nonexistent"} if mode == "degraded" else {}
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **degraded})
    deadline = time.monotonic() + 20
    while len(processes_with(hang)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(processes_with(hang)) >= 2
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 8
    while processes_with(hang) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_with(hang) == []


def test_missing_namespaces_are_reported_with_advice() -> None:
    script = "from workers import sandbox; box = sandbox.detect(); print(box.mode); print(box.reason)"
    environment = {**os.environ, "HEADRACE_BWRAP": "/bin/false"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    mode, reason = done.stdout.splitlines()
    assert mode == "process-tree"
    assert "without isolation" in reason and "user namespaces" in reason


@pytest.mark.parametrize("box", both())
def test_endless_output_is_cut_off(box: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(supervisor.TooLongError, match="bytes"):
        inside(box, "while True: print('x' * 10000)", tmp_path)


def test_leash_reports_status_and_leaves_no_orphan() -> None:
    hang = str(90000 + os.getpid())
    before = set(psutil.Process().children())
    leash = [sys.executable, "-I", "-S", str(ROOT / "workers" / "leash.py"), "--"]
    done = subprocess.run([*leash, "sh", "-c", f"setsid sleep {hang} & exit 3"], check=False)
    assert done.returncode == 3
    assert processes_with(hang) == []
    started = set(psutil.Process().children()) - before
    assert not [p for p in started if p.status() != psutil.STATUS_ZOMBIE]
