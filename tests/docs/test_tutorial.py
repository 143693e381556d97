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

README, TUTORIAL = PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
DEFAULT_URL = "http://127.0.0.1:8765"
VENV = Path(sys.executable).parent.parent


def commands(path: Path, *marks: str) -> str:
    """The marked blocks of a page as one script; those in Python are run by ``python``."""
    found = [block for block in blocks(path) if block.mark in marks]
    assert found, f"{path} has nothing that is marked {marks}"
    return "\n".join(f"python - <<'END'\n{b.text}END" if b.language == "python" else b.text for b in found)


def _with_the_command(folder: Path) -> Path:
    """A folder with the ``headrace`` command of this checkout: the tests run without it installed."""
    place = folder / ".bin"
    place.mkdir(exist_ok=True)
    (place / "headrace").write_text(f'#!/bin/sh\nexec {sys.executable} -m headrace "$@"\n')
    (place / "headrace").chmod(0o755)
    return place


def run(script: str, folder: Path, url: str) -> str:
    """Run a script against a service; it ends at the first command that fails."""
    environment = os.environ | {
        "HEADRACE_URL": url,
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{_with_the_command(folder)}:{VENV / 'bin'}:{os.environ['PATH']}",
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


def test_quick_commands(tmp_path: Path, quiet_server: Server) -> None:
    script = "\n".join(commands(page, "run: quick") for page in PAGES)
    out = run(script, tmp_path, quiet_server.url)
    assert out.count("headrace 0") == len(PAGES) and "pynq-z2" in out


@pytest.mark.slow
def test_the_tutorial_from_its_first_command_to_its_last_then_the_readme(tmp_path: Path) -> None:
    for block in blocks(TUTORIAL):
        if block.mark.startswith("file: "):
            (tmp_path / block.mark.removeprefix("file: ")).write_text(block.text, "utf-8")
    with LocalService(tmp_path / "home") as service:
        out = run(commands(TUTORIAL, "run", "run: quick"), tmp_path, service.url)
        run(commands(README, "run"), tmp_path, service.url)
    assert re.search(r"PASS compared=[1-9]\d* mismatched=0", out)
    assert "event: end" in out and "complete" in out
    for name in ("front.png", "notebook.png", "fastest.zip", "design.zip", "pareto.json", "out.zip"):
        assert (tmp_path / name).stat().st_size > 100
