"""What the service refuses, and where its broker listens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.workers.service import ROOT
from workers import valkey
from workers.binding import RefusedError, refuse_unsafe_binding, usable_port
from workers.settings import from_environment


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.2", "example.org", ""])
def test_listening_beyond_this_machine_needs_a_token(host: str) -> None:
    with pytest.raises(RefusedError, match="HEADRACE_TOKEN"):
        refuse_unsafe_binding(host, None)
    refuse_unsafe_binding(host, "a-long-enough-secret")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_none(host: str) -> None:
    refuse_unsafe_binding(host, None)


def test_the_command_refuses_with_status_2(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "HEADRACE_TOKEN"} | {"HEADRACE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "workers.serve", "--host", "0.0.0.0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "refusing to listen" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_another_program_has() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(RefusedError, match=f"port {port}"):
            usable_port("127.0.0.1", port)
        assert usable_port("127.0.0.1", 0) not in (0, port)
    with pytest.raises(RefusedError, match="cannot listen"):
        usable_port("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("options", "variables", "words"),
    [
        (["--port", "99999"], {}, "0 to 65535"),
        (["--slots", "0"], {}, "1 to 1024"),
        ([], {"HEADRACE_TRIAL_SECONDS": "-3"}, "HEADRACE_TRIAL_SECONDS must be a positive number"),
        ([], {"HEADRACE_DATABASE_URL": "foo://bar"}, "HEADRACE_DATABASE_URL"),
        ([], {"HEADRACE_TOKEN": "short"}, "HEADRACE_TOKEN is shorter"),
        ([], {"HEADRACE_HOME": "/proc/none"}, "set HEADRACE_HOME"),
    ],
)
def test_options_and_settings_that_are_refused(
    tmp_path: Path, options: list[str], variables: dict[str, str], words: str
) -> None:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
    environment = plain | {"HEADRACE_HOME": str(tmp_path)} | variables
    command = [sys.executable, "-m", "workers.serve", "--port", "0", *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_settings_are_positive_numbers(tmp_path: Path) -> None:
    home = {"HEADRACE_HOME": str(tmp_path)}
    for name, text in (("SLOTS", "0"), ("LEASE_SECONDS", "nan"), ("CACHE_BYTES", "-1"), ("RETENTION_DAYS", "inf")):
        with pytest.raises(ValueError, match=name):
            from_environment(home | {f"HEADRACE_{name}": text})
    assert from_environment(home | {"HEADRACE_SIGN_OFF_DESIGNS": "0"}).sign_off_designs == 0


def test_long_paths_get_a_private_socket_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The test's own folder may have a long name already, so the stand-in for /tmp gets a short one.
    short = tempfile.TemporaryDirectory(dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short.name)
    home = tmp_path / ("x" * 120)
    home.mkdir()
    place = valkey.socket_path(home)
    assert len(str(place)) < 108 and home not in place.parents
    valkey.prepare(home)
    assert place.parent.stat().st_mode & 0o077 == 0
    (home / "valkey" / "valkey.conf").unlink()
    place.parent.rmdir()
    place.parent.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="not a directory of ours"):
        valkey.prepare(home)
    short.cleanup()


def test_it_stops_when_its_input_ends(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")} | {
        "HEADRACE_HOME": str(tmp_path)
    }
    command = [sys.executable, "-m", "workers.serve", "--without-api", "--slots", "1", "--until-eof"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    with process:
        assert b"listens" in process.stdout.readline()
        assert (tmp_path / "serve.json").exists() and process.poll() is None
        process.stdin.close()
        assert process.wait(60) == 0
    assert not (tmp_path / "serve.json").exists()
