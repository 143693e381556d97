"""What the service refuses, and where its broker listens."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.workers.service import ROOT
from workers import valkey
from workers.serve import RefusedError, refuse_unsafe_binding


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


def test_long_paths_get_a_private_socket_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The test's own folder may have a long name already, so the stand-in for /tmp gets a short one.
    short = tempfile.TemporaryDirectory(dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short.name)
    home = tmp_path / ("x" * 120)
    home.mkdir()
    socket = valkey.socket_path(home)
    assert len(str(socket)) < 108 and home not in socket.parents
    valkey.prepare(home)
    assert socket.parent.stat().st_mode & 0o077 == 0
    (home / "valkey" / "valkey.conf").unlink()
    socket.parent.rmdir()
    socket.parent.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="not a directory of ours"):
        valkey.prepare(home)
    short.cleanup()
