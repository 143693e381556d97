"""The commands of the tutorial and of the README, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.service import LocalService
from tests.api.harness import Server, serving
from tests.docs.markdown import ROOT, blocks

PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
DEFAULT_URL = "http://127.0.0.1:8765"
VENV = Path(sys.executable).parent.parent


def commands(path: Path, *marks: str) -> str:
    """The marked blocks of a page as one script; blocks of files are written before."""
    return "\n".join(block.text for block in blocks(path) if block.mark in marks)


def run(script: str, folder: Path, url: str) -> str:
    """Run a script against a service; it ends at the first command that fails."""
    environment = os.environ | {
        "HEADRACE_URL": url,
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    text = "set -euo pipefail\n" + script.replace(DEFAULT_URL, url)
    done = subprocess.run(["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def quiet_server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "home") as server:
        yield server


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_quick_commands(page: Path, tmp_path: Path, quiet_server: Server) -> None:
    script = commands(page, "run: quick")
    out = run(script, tmp_path, quiet_server.url) if script else ""
    assert page.stem == "README" or ("headrace 0" in out and "pynq-z2" in out)


@pytest.mark.slow
def test_the_tutorial_from_its_first_command_to_its_last(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tutorial.md"
    for block in blocks(page):
        if block.mark.startswith("file: "):
            (tmp_path / block.mark.removeprefix("file: ")).write_text(block.text, "utf-8")
    with LocalService(tmp_path / "home") as service:
        out = run(commands(page, "run", "run: quick"), tmp_path, service.url)
    assert re.search(r"PASS compared=[1-9]\d* mismatched=0", out)
    assert "event: end" in out and "complete" in out
    for name in ("front.png", "notebook.png", "fastest.zip", "design.zip", "pareto.json"):
        assert (tmp_path / name).stat().st_size > 100
