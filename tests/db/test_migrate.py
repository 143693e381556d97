"""Migrations: the schema they build is the schema the code uses, and they can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from db import migrate
from db.engine import make_unpooled_engine
from db.errors import StaleSchemaError
from db.tables import metadata


def test_migrations_build_the_declared_tables(database_url: str) -> None:
    with make_unpooled_engine(database_url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrate.require_current(database_url)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_down_and_up_again(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    is_file = kind == "sqlite"
    database_url = f"sqlite:///{tmp_path / 'x.db'}" if is_file else request.getfixturevalue("postgres").new_database()
    migrate.upgrade(database_url)
    migrate.downgrade(database_url, "base")
    assert set(inspect(make_unpooled_engine(database_url)).get_table_names()) == {"alembic_version"}
    with pytest.raises(StaleSchemaError):
        migrate.require_current(database_url)
    migrate.upgrade(database_url)
    migrate.require_current(database_url)
