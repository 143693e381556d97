"""Pytest hooks that print the conformance counts; ``tests/conftest.py`` takes them in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hwgen.conformance.fingerprints import record
from tests.hwgen.conformance.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--conformance-report`` and ``--record-fingerprints``."""
    parser.addoption("--conformance-report", metavar="FILE", help="write the conformance counts to a Markdown file")
    parser.addoption(
        "--record-fingerprints", action="store_true", help="record what the conformance cases compute, and their cycles"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the conformance tests of this session counted."""
    if hasattr(config, "workerinput"):  # a pytest-xdist worker: the controller has the counts of all
        return
    report = Report()
    for outcome in ("passed", "failed"):
        for test in terminalreporter.stats.get(outcome, []):
            # User properties survive the trip from a pytest-xdist worker.
            for key, value in getattr(test, "user_properties", ()):
                report.add(key, value, outcome == "passed")
    if report.empty:
        return
    if config.getoption("--record-fingerprints"):
        record(report.fingerprints)
    terminalreporter.section("conformance")
    for line in report.lines():
        terminalreporter.write_line(line)
    target = config.getoption("--conformance-report")
    if target:
        Path(target).write_text(report.markdown())
