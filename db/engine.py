"""Connections. One engine per process, made after any fork; every transaction is short."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from db.clock import BootClock, Moment, ServerClock
from db.errors import OutOfSpaceError, UnavailableError

BUSY_SECONDS = 15.0
_READ_ONLY = "headrace_read_only"
# A server that went away without a word is noticed, or whoever asked it would wait for the TCP stack's quarter hour.
_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 15_000}


def make_engine(url: str) -> Engine:
    """An engine for ``sqlite:///…`` (WAL, ``BEGIN IMMEDIATE`` for writers) or ``postgresql://…`` (psycopg 3)."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=30, connect_args=_POSTGRESQL)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_unpooled_engine(url: str) -> Engine:
    """An engine that closes each connection after use; for one-shot commands such as migrations."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, poolclass=NullPool)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling begins too late (at the first write); _begin_sqlite does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={int(BUSY_SECONDS * 1000)}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the write lock at once: upgrading a read lock later fails at once instead of waiting.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Faults of the database as errors of the store; their text leaves out what the driver says of URLs."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        full = "disk is full" in str(error) or "No space left" in str(error)
        if full:
            raise OutOfSpaceError("the database has no disk space left") from error
        raise UnavailableError(f"the database does not answer ({type(error).__name__})") from error


class Database:
    """The engine with the two kinds of transaction that the store uses, and the clocks that all processes share."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._clock: BootClock | ServerClock = BootClock() if self.engine.dialect.name == "sqlite" else ServerClock()

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: commits on leaving, rolls back on an exception. Raises UnavailableError."""
        with _faults():
            self._clock.prepare(self.engine)
            with self.engine.begin() as connection:
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only view that never blocks a writer. Raises UnavailableError."""
        with _faults():
            self._clock.prepare(self.engine)
            with self.engine.connect().execution_options(**{_READ_ONLY: True}) as connection:
                yield connection

    def now(self, connection: Connection) -> Moment:
        """The present, by the clocks that all processes share."""
        return self._clock.now(connection)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
