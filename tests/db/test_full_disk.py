"""A full disk is an error of its own, and costs nothing that was stored before."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from db.errors import OutOfSpaceError
from db.store import Store
from tests.db.given import new_job


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "headrace.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    pages = len(path.read_bytes()) // 4096 + 8

    @event.listens_for(store.database.engine, "connect")
    def limit(connection: object, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    stored = []
    with pytest.raises(OutOfSpaceError, match="no disk space"):
        for _ in range(1000):
            stored.append(store.jobs.create(new_job(labels={"padding": "x" * 500})).job.id)
    assert 0 < len(stored) < 1000
    assert [job.id for job in store.jobs.page(limit=1000).items] == stored[::-1]
    assert store.jobs.get(stored[-1]).state == "queued"
    store.close()
