"""A wall clock that a test sets under running processes, as an administrator or a bad time server would."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")


class WallClock:
    """The wall clock of every process that is started with ``environment``."""

    def __init__(self, directory: Path) -> None:
        library, offset = directory / "wallclock.so", directory / "offset"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
        offset.write_bytes(bytes(8))
        with offset.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(offset)}

    def jump(self, seconds: int) -> None:
        """Set it ``seconds`` ahead of the true time, or behind."""
        self._page[:8] = struct.pack("l", seconds)
