"""Schema migrations, run by code: no ini file, no working directory."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, OperationalError

from db.engine import make_unpooled_engine
from db.errors import StaleSchemaError, UnavailableError

_SCRIPTS = Path(__file__).parent / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``; creates everything in an empty one.

    Raises:
        StaleSchemaError: the database is at a revision that this code does not know.
        UnavailableError: the URL names no database that can be opened.
    """
    try:
        command.upgrade(_config(url), revision)
    except CommandError as error:
        raise StaleSchemaError(f"the database cannot be migrated: {error}") from error
    except (ArgumentError, OperationalError) as error:
        reason = str(error).splitlines()[0]
        raise UnavailableError(f"the database cannot be opened, see HEADRACE_DATABASE_URL: {reason}") from error


def downgrade(url: str, revision: str) -> None:
    """Take the database back to ``revision`` (``base`` removes everything)."""
    command.downgrade(_config(url), revision)


def head() -> str:
    """The revision this code was written for."""
    return str(ScriptDirectory.from_config(_config("")).get_current_head())


def is_known(revision: str) -> bool:
    """Whether this code knows how to come from ``revision`` to ``head()``."""
    try:
        return ScriptDirectory.from_config(_config("")).get_revision(revision) is not None
    except CommandError:
        return False


def current(url: str) -> str | None:
    """The revision the database is at, None when it is empty."""
    engine = make_unpooled_engine(url)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(url: str) -> None:
    """Refuse a database of another revision.

    Raises:
        StaleSchemaError: run ``python -m db.migrate URL`` first, or start newer code.
    """
    found, wanted = current(url), head()
    if found != wanted:
        raise StaleSchemaError(f"the database is at migration {found}, this code needs {wanted}: migrate it first")


if __name__ == "__main__":
    import os
    import sys

    upgrade(sys.argv[1] if len(sys.argv) > 1 else os.environ["HEADRACE_DATABASE_URL"])
