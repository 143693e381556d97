from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.inprocess import InProcess, Start


@pytest.fixture
def start(tmp_path: Path, sqlite_template: Path) -> Iterator[Start]:
    running: list[InProcess] = []

    def make(**settings: object) -> InProcess:
        path = tmp_path / "headrace.db"
        if not path.exists():
            path.write_bytes(sqlite_template.read_bytes())
        running.append(InProcess(tmp_path / "home", f"sqlite:///{path}", **settings))
        return running[-1]

    yield make
    for service in running:
        service.close()
