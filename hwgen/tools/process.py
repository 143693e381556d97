"""Running a native program to its end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import ToolError

TIMEOUT_SECONDS = 300.0


def run_tool(
    command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None, timeout: float = TIMEOUT_SECONDS
) -> str:
    """Run one native tool and return its standard output.

    Raises:
        ToolError: non-zero exit or timeout, with the end of the output.
    """
    try:
        done = subprocess.run(
            [str(c) for c in command],
            cwd=cwd,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{Path(command[0]).name} ran longer than {timeout:.0f} s") from error
    if done.returncode:
        raise ToolError(
            f"{Path(command[0]).name} failed with exit status {done.returncode}", (done.stdout + done.stderr)[-4000:]
        )
    return done.stdout
