"""The sweeps of a worker process: nothing ends them, and they leave nothing lying about."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.workers.inprocess import InProcess, Start
from workers.maintenance import Upkeep


@pytest.fixture
def service(start: Start) -> InProcess:
    return start()


def age(path: Path, days: float) -> Path:
    then = time.time() - days * 86400
    os.utime(path, (then, then))
    return path


def test_a_defect_in_one_sweep_does_not_end_the_others(service: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def broken() -> None:
        calls.append(1)
        raise ValueError("a row that nobody expected")

    monkeypatch.setattr(service.store.upkeep, "reap_expired_leases", broken)
    upkeep = Upkeep(service.runner, ["q"])
    upkeep.start()
    try:
        service.until(lambda: len(calls) >= 2, "the broken sweep is tried again", 20)
    finally:
        upkeep.stop()


def test_old_scratch_is_removed_with_what_is_in_it(service: InProcess) -> None:
    incoming = service.settings.home / "incoming"
    for name in ("parse-old", "parse-new"):
        (incoming / name).mkdir()
        (incoming / name / "graph.npz").write_bytes(b"half a graph")
    for name in ("upload-old", "upload-new"):
        (incoming / name).write_bytes(b"half an upload")
    outside = service.settings.home / "kept"
    outside.mkdir()
    (outside / "file").write_bytes(b"x")
    (incoming / "link-old").symlink_to(outside)
    age(incoming / "parse-old", 8)
    age(incoming / "upload-old", 8)
    os.utime(incoming / "link-old", (1, 1), follow_symlinks=False)
    Upkeep(service.runner, ["q"]).retain()
    assert sorted(path.name for path in incoming.iterdir()) == ["parse-new", "upload-new"]
    assert (outside / "file").exists(), "a link is removed, not followed"


def test_the_cache_is_kept_below_its_size(start: Start) -> None:
    service = start(cache_bytes=3 * 4096)
    objects = service.settings.cache / "toolchain"
    objects.mkdir()
    for index in range(10):
        (objects / f"operator-{index}.so").write_bytes(bytes(4096))
        age(objects / f"operator-{index}.so", 10 - index)
    upkeep = Upkeep(service.runner, ["q"])
    upkeep.start()
    try:
        left = {f"operator-{index}.so" for index in (7, 8, 9)}
        service.until(lambda: {path.name for path in objects.glob("*.so")} == left, "the oldest are deleted", 20)
    finally:
        upkeep.stop()
