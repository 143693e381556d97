"""Where ``headrace.connect()`` finds a service when no address is given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import headrace
from headrace import embedded, service
from tests.api.harness import Server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No service is known; none may be started."""
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    monkeypatch.delenv("HEADRACE_URL", raising=False)
    monkeypatch.setattr(embedded, "DEFAULT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(service.LocalService, "start", lambda self: pytest.fail("a service was started"))
    return tmp_path


def announce(home: Path, text: str) -> None:
    (home / "serve.json").write_text(text)


def test_a_running_service_is_found_where_it_announced_itself(home: Path, server: Server) -> None:
    announce(home, json.dumps({"url": server.url, "pid": 1}))
    assert headrace.connect().url == headrace.connect(start=False).url == server.url


def test_an_address_that_is_given_is_taken_untried(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(home, json.dumps({"url": server.url, "pid": 1}))
    assert headrace.connect("http://192.0.2.1/").url == "http://192.0.2.1"
    monkeypatch.setenv("HEADRACE_URL", "http://192.0.2.2")
    assert headrace.connect().url == "http://192.0.2.2"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": "http://127.0.0.1:9"}', '{"url": "nonsense"}', "\xff"])
def test_what_a_dead_service_left_behind_is_not_believed(
    home: Path, server: Server, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    announce(home, text)
    assert embedded.running_url() is None
    monkeypatch.setattr(embedded, "DEFAULT_URL", server.url)
    assert headrace.connect().url == server.url


def test_another_program_at_the_address_is_no_service(home: Path, server: Server) -> None:
    assert embedded.answers(server.url) and not embedded.answers(f"{server.url}/v1")


def test_one_is_started_where_none_answers(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []

    def start(self: service.LocalService) -> None:
        started.append(self.log.parent)
        self.url = server.url
        announce(home, json.dumps({"url": self.url}))

    monkeypatch.setattr(service.LocalService, "start", start)
    assert headrace.connect().url == headrace.connect().url == server.url
    assert started == [home]


def test_a_package_of_the_same_name_is_not_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "workers", raising=False)
    assert service.code() is None
    with pytest.raises(headrace.HeadraceError, match="pip install"):
        service.command("workers.serve")


def test_a_file_of_the_users_directory_is_not_the_service(tmp_path: Path) -> None:
    (tmp_path / "workers.py").write_text("raise SystemExit('the file of the user')")
    command, environment = service.command("workers.serve", "--help")
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "the file of the user" not in done.stderr
