"""Native tools are run to their end, and end with everything that they started."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from hwgen.errors import ToolError
from hwgen.tools.process import run_tool


def test_output_of_a_tool(tmp_path: Path) -> None:
    assert run_tool(["sh", "-c", "pwd"], tmp_path).strip() == str(tmp_path.resolve())


def test_a_failure_ends_with_what_was_printed(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="sh failed with exit status 3"):
        run_tool(["sh", "-c", "echo why >&2; exit 3"], tmp_path)


def test_a_tool_that_takes_too_long_dies_with_its_children(tmp_path: Path) -> None:
    """``g++`` only starts the compiler proper, which outlived it with a gigabyte of memory."""
    with pytest.raises(ToolError, match="ran longer than 1 s"):
        run_tool(["sh", "-c", f"sleep 54321 & echo $! > {tmp_path}/child; wait"], tmp_path, timeout=1)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)
