"""Running a native program to its end."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hwgen.errors import ToolError

TIMEOUT_SECONDS = 300.0


def run_tool(
    command: Sequence[str | Path],
    cwd: Path,
    env: dict[str, str] | None = None,
    timeout: float = TIMEOUT_SECONDS,
    memory_bytes: int | None = None,
) -> str:
    """Run one native tool and return its standard output.

    Args:
        command: the program and its arguments.
        cwd: where it runs.
        env: its environment beside ``PATH``.
        timeout: seconds after which it is killed.
        memory_bytes: limit of its address space; None is that of this process.

    Raises:
        ToolError: non-zero exit or timeout, with the end of the output.
    """
    limited = [] if memory_bytes is None else _limited(memory_bytes)
    process = subprocess.Popen(
        [*limited, *(str(c) for c in command)],
        cwd=cwd,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    with process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"{Path(command[0]).name} ran longer than {timeout:.0f} s") from error
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)  # a compiler's own children, too
    if process.returncode:
        raise ToolError(
            f"{Path(command[0]).name} failed with exit status {process.returncode}", (output + errors)[-4000:]
        )
    return output


def find_program(name: str, install: str) -> str:
    """Path of a program on PATH or beside the running Python.

    Raises:
        ToolError: it is missing; the message ends with ``install``, which says how to get it.
    """
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise ToolError(f"{name} is missing: {install}")
    return found


def _limited(memory_bytes: int) -> list[str]:
    """The shell that lowers its own limit and becomes the program; a limit above our own cannot be asked for."""
    own = resource.getrlimit(resource.RLIMIT_AS)[1]
    least = memory_bytes if own == resource.RLIM_INFINITY else min(memory_bytes, own)
    return ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(least // 1024)]
