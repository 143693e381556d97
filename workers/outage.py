"""Faults of the machine, which another try at another time does not meet again: they say nothing about a design."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator, Mapping

_DISK_FULL = "disk_full"
_OF_ERRNO: Mapping[int, str] = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EIO: "storage_failed",
    errno.EROFS: "storage_failed",
    errno.ESTALE: "storage_failed",
    errno.ENFILE: "system_limit",
}
# What compilers and simulators, whose errors are text, say of a full disk.
_WORDS = ("No space left on device", "Disk quota exceeded")
_SCRATCH_BYTES = 1 << 20


def outage(error: BaseException) -> str | None:
    """What of the machine failed, by the error, its causes and what was handled when it arose; None: nothing of it.

    A scratch directory that is full was filled by the evaluation itself (in the sandbox it is the evaluation's own).
    """
    for each in _chain(error):
        found = _name(each)
        if found == _DISK_FULL and shutil.disk_usage(tempfile.gettempdir()).free < _SCRATCH_BYTES:
            return None
        if found is not None:
            return found
    return None


def _name(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno is not None and error.errno in _OF_ERRNO:
        return _OF_ERRNO[error.errno]
    return _DISK_FULL if any(words in str(error) for words in _WORDS) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
