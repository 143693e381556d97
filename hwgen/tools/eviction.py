"""Keeps the cache directory below a size: the entries that were used longest ago are deleted first.

An entry is a compiled operator, a memory image, a routed design or what a rung found; its modification time says when
it was last used. Processes that use the cache call ``mark_used`` before they rely on an entry, and nobody deletes it
for the next half hour at least. What a simulator has loaded outlives its deletion anyway, as any open file does. What
belongs to a tool stays: Verilator's runtime and the simulator, a few megabytes, and the compiled programs of place and
route, about 230.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

IN_USE_SECONDS = 3600.0
# What a killed process leaves behind: nothing runs for so long.
SCRATCH_SECONDS = 86400.0
_ENTRIES = (
    *("*/*.so", "*/.*.partial", "*/mem/*.mem", "*/mem/tmp*", "rungs/*/*.json", "rungs/*/.*.json.*"),
    *("routes/*.json", "routes/*.bit", "routes/*.netlist", "routes/*.part"),
)
_SCRATCH = ("*/build-*", "*/sim-*", "*/signoff-*", "*/top-*", "routes/work-*")


@dataclass
class _Entry:
    """One file with all its names: operators that were compiled together share one."""

    names: list[Path]
    used: float
    size_bytes: int


def mark_used(path: Path) -> bool:
    """Whether the entry exists; if it does, it is kept for the next half hour at least."""
    try:
        if time.time() - path.stat().st_mtime > IN_USE_SECONDS / 2:
            with _evicting(path.parent):
                os.utime(path)
        return True
    except FileNotFoundError:
        return False


def trim(cache: Path, limit_bytes: int) -> int:
    """Delete entries until those that are left need at most ``limit_bytes`` of disk, or were all used just now.

    Args:
        cache: the directory that evaluators were given; several processes may trim it at once.
        limit_bytes: of disk space.

    Returns:
        Bytes of the entries that were deleted.
    """
    for pattern in _SCRATCH:
        for directory in cache.glob(pattern):
            if time.time() - _modified(directory) > SCRATCH_SECONDS:
                shutil.rmtree(directory, ignore_errors=True)
    entries = sorted(_entries(cache), key=lambda entry: entry.used)
    excess = sum(entry.size_bytes for entry in entries) - limit_bytes
    freed = 0
    for entry in entries:
        if freed >= excess or time.time() - entry.used <= IN_USE_SECONDS:
            break
        if _evict(entry):
            freed += entry.size_bytes
    return freed


def _entries(cache: Path) -> list[_Entry]:
    found: dict[tuple[int, int], _Entry] = {}
    for pattern in _ENTRIES:
        for path in cache.glob(pattern):
            try:
                status = path.lstat()
            except FileNotFoundError:  # another process trims too
                continue
            if S_ISREG(status.st_mode):
                entry = _Entry([], status.st_mtime, status.st_blocks * 512)
                found.setdefault((status.st_dev, status.st_ino), entry).names.append(path)
    return list(found.values())


def _modified(path: Path) -> float:
    """Time of the last change; now for what is gone, which other processes that trim bring about."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


def _evict(entry: _Entry) -> bool:
    """Delete all names of an entry unless it was used since it was found."""
    with _evicting(entry.names[0].parent):
        try:
            if entry.names[0].lstat().st_mtime != entry.used:
                return False
        except FileNotFoundError:
            return False
        for name in entry.names:
            name.unlink(missing_ok=True)
        return True


@contextmanager
def _evicting(directory: Path) -> Iterator[None]:
    """Alone with the entries of a directory."""
    with (directory / ".evict.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
