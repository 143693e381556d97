"""Wall and CPU seconds of a block, child processes included, and the memory of the process."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Spent:
    """Seconds of wall clock and of CPU (this process and its finished children)."""

    wall: float = 0.0
    cpu: float = 0.0

    def __str__(self) -> str:
        return f"{self.wall:7.2f} s wall {self.cpu:7.2f} s CPU"


def _cpu() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


@contextmanager
def spent() -> Iterator[Spent]:
    """Measure the block; the figures are filled in when it ends."""
    figures, wall, cpu = Spent(), time.perf_counter(), _cpu()
    try:
        yield figures
    finally:
        figures.wall, figures.cpu = time.perf_counter() - wall, _cpu() - cpu


def peak_bytes() -> int:
    """The most memory that this process has held since it started its program (Linux), mapped files included.

    ``ru_maxrss`` would begin at what the parent held.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
