"""Two clocks: one that people read, and one that leases and budgets are measured with.

The first may jump when somebody sets it. The second only ever moves forward, at the pace of time, and every process of
the service reads the same. PostgreSQL's server is that process for both. SQLite has no server, but all its processes
are on one machine: they share the time since the machine booted, suspended or not. Readings of an earlier boot remain
comparable because each boot's zero is stored once, above everything that was stored before: no process of an earlier
boot lives, so what it leased has expired.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select, text

from db import tables

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """An instant: ``wall`` in UTC epoch seconds for records, ``steady`` in seconds for leases and budgets."""

    wall: float
    steady: float


class ServerClock:
    """The clock of a PostgreSQL server."""

    def prepare(self, engine: Engine) -> None:
        """Nothing to do."""

    def now(self, connection: Connection) -> Moment:
        """The present."""
        seconds = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        return Moment(seconds, seconds)


class BootClock:
    """The clocks of the machine that a SQLite database is on."""

    def __init__(self) -> None:
        self._zero: float | None = None
        self._lock = threading.Lock()

    def prepare(self, engine: Engine) -> None:
        """Agree with the other processes on the zero of this boot, once: in a transaction of its own.

        A zero that another transaction wrote could be rolled back with it, after others have used it.
        """
        with self._lock:
            if self._zero is None:
                with engine.begin() as connection:
                    self._zero = _zero_of(connection, _BOOT_ID.read_text().strip())

    def now(self, connection: Connection) -> Moment:
        """The present."""
        assert self._zero is not None  # every transaction begins after ``prepare``
        return Moment(time.time(), self._zero + time.clock_gettime(time.CLOCK_BOOTTIME))


def _zero_of(connection: Connection, boot: str) -> float:
    boots = tables.boots
    known = connection.execute(select(boots.c.zero).where(boots.c.id == boot)).scalar()
    if known is not None:
        return float(known)
    zero = max(time.time(), _last_reading(connection)) - time.clock_gettime(time.CLOCK_BOOTTIME)
    connection.execute(insert(boots).values(id=boot, zero=zero))
    return zero


def _last_reading(connection: Connection) -> float:
    """The greatest steady time that is stored anywhere."""
    columns = (
        tables.jobs.c.lease_until,
        tables.jobs.c.published_at,
        tables.jobs.c.worked_since,
        tables.trials.c.lease_until,
        tables.trials.c.published_at,
        tables.trials.c.retry_at,
        tables.leases.c.until,
        tables.workers.c.heard_at,
    )
    greatest = [connection.execute(select(func.max(column))).scalar() for column in columns]
    return max((float(value) for value in greatest if value is not None), default=0.0)
