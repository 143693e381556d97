from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.build import BuildCache
from tests.hwgen.conformance.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance-report", metavar="FILE", help="write the conformance counts to a Markdown file")


@pytest.fixture(scope="session")
def build_cache(cache_directory: Path) -> BuildCache:
    return BuildCache(cache_directory)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = Report()
    for outcome in ("passed", "failed"):
        for test in terminalreporter.stats.get(outcome, []):
            # User properties survive the trip from a pytest-xdist worker.
            for key, value in getattr(test, "user_properties", ()):
                report.add(key, value, outcome == "passed")
    if report.empty:
        return
    terminalreporter.section("conformance")
    for line in report.lines():
        terminalreporter.write_line(line)
    target = config.getoption("--conformance-report", default=None)
    if target:
        Path(target).write_text(report.markdown())
