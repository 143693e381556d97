"""The cache stays below its size, and what is in use stays in it."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from pathlib import Path

import pytest

from explorer.rungs.records import Records
from explorer.rungs.rung import Findings
from hwgen.hardware.operators.fifo import Fifo
from hwgen.hardware.streams import StreamType
from hwgen.numbers.formats import IntFormat
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import memory_arguments
from hwgen.tools import eviction
from hwgen.tools.eviction import mark_used, trim

DAY = 86400.0
BLOCK = 4096


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "toolchain" / "mem").mkdir(parents=True)
    (tmp_path / "rungs" / "accuracy").mkdir(parents=True)
    return tmp_path


def entry(path: Path, used_days_ago: float, blocks: int = 1) -> Path:
    path.write_bytes(bytes(blocks * BLOCK))
    return used(path, used_days_ago)


def used(path: Path, days_ago: float) -> Path:
    os.utime(path, (time.time() - days_ago * DAY,) * 2)
    return path


def test_what_was_used_longest_ago_goes_first(cache: Path) -> None:
    objects = [entry(cache / "toolchain" / f"dse_fifo-{n}.so", 30 - n) for n in range(20)]
    image = entry(cache / "toolchain" / "mem" / "0f.mem", 100)
    known = entry(cache / "rungs" / "accuracy" / "ab.json", 50)
    assert trim(cache, 22 * BLOCK) == 0, "it fits"
    assert trim(cache, 10 * BLOCK) == 12 * BLOCK
    assert not image.exists() and not known.exists()
    assert [path.exists() for path in objects] == [False] * 10 + [True] * 10


def test_operators_compiled_together_count_once_and_go_together(cache: Path) -> None:
    shared = entry(cache / "toolchain" / "dse_fifo-0.so", 3, blocks=8)
    os.link(shared, cache / "toolchain" / "dse_fork2-1.so")
    single = entry(cache / "toolchain" / "dse_fifo-2.so", 9, blocks=8)
    assert trim(cache, 16 * BLOCK) == 0
    used(cache / "toolchain" / "dse_fork2-1.so", 1)
    assert trim(cache, 8 * BLOCK) == 8 * BLOCK
    assert shared.exists() and not single.exists(), "the use of one is the use of all"
    assert trim(cache, 0) == 8 * BLOCK
    assert not list(cache.glob("*/*.so"))


def test_recent_entries_and_what_is_no_entry_stay(cache: Path) -> None:
    recent = entry(cache / "toolchain" / "dse_fifo-0.so", 0.01)
    others = [entry(cache / "toolchain" / name, 500) for name in ("simulate-12", ".dse_fifo-0.so.lock")]
    (cache / "toolchain" / "runtime").mkdir()
    others.append(entry(cache / "toolchain" / "runtime" / "libverilated.so", 500))
    outside = entry(cache / "precious", 500)
    (cache / "toolchain" / "link-3.so").symlink_to(outside)
    assert trim(cache, 0) == 0
    assert all(path.exists() for path in (recent, outside, *others))


def test_scratch_of_killed_compilers_is_removed(cache: Path) -> None:
    for name in ("build-a", "build-b", "sim-a", "signoff-a", "top-a"):
        (cache / "toolchain" / name).mkdir()
        (cache / "toolchain" / name / "all.cpp").write_bytes(b"//")
        used(cache / "toolchain" / name, 0.5 if name == "build-b" else 2)
    entry(cache / "toolchain" / ".dse_fifo-0.so.partial", 2)
    trim(cache, 0)
    assert sorted(path.name for path in (cache / "toolchain").iterdir() if path.name != ".evict.lock") == [
        "build-b",
        "mem",
    ]


def test_an_entry_in_use_is_never_deleted(cache: Path) -> None:
    """Users mark, trimmers trim, all at once: whatever was marked as present is still there afterwards."""
    stop = threading.Event()
    paths = [cache / "toolchain" / f"dse_fifo-{n}.so" for n in range(40)]

    def trim_always() -> None:
        while not stop.is_set():
            trim(cache, 0)

    threads = [threading.Thread(target=trim_always) for _ in range(2)]
    for path in paths:
        entry(path, 2)
    for thread in threads:
        thread.start()
    try:
        marked = [path for path in reversed(paths) if mark_used(path)]
        time.sleep(0.2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {path for path in paths if path.exists()} == set(marked)


def test_use_is_noted_where_the_cache_is_read(cache_directory: Path, tmp_path: Path) -> None:
    operator = Fifo(StreamType(2, 4, 2, IntFormat(5, True)), 3)
    compiled = BuildCache(cache_directory).operator(operator)[0]
    before = used(compiled, 2).stat().st_mtime
    assert BuildCache(cache_directory).operator(operator) == (compiled, True)
    assert compiled.stat().st_mtime > before + DAY

    class Image:
        def text(self) -> str:
            return "0f\n"

    path = Path(memory_arguments({"weight": Image()}, tmp_path / "mem")[0].partition("=")[2])
    before = used(path, 2).stat().st_mtime
    memory_arguments({"weight": Image()}, tmp_path / "mem")
    assert path.stat().st_mtime > before + DAY

    found = Findings(metrics={"accuracy": 0.5})
    Records(tmp_path).put("accuracy", "abc", found)
    stored = tmp_path / "rungs" / "accuracy" / "abc.json"
    before = used(stored, 2).stat().st_mtime
    assert Records(tmp_path).get("accuracy", "abc") == found
    assert stored.stat().st_mtime > before + DAY


def test_what_is_deleted_is_compiled_again_and_what_is_loaded_still_works(tmp_path: Path) -> None:
    operator = Fifo(StreamType(2, 4, 2, IntFormat(5, True)), 3)
    cache = BuildCache(tmp_path)
    path, known = cache.operator(operator)
    loaded = ctypes.CDLL(str(path))
    used(path, 2)
    assert not known and trim(tmp_path, 0) > 0 and not path.exists()
    assert loaded[f"headrace_create_{path.stem.rpartition('-')[2]}"]
    assert cache.operator(operator) == (path, False)
    assert path.exists() and eviction.trim(tmp_path, 0) == 0, "it was used just now"
