from __future__ import annotations

import os
from pathlib import Path

import pytest

from hwgen.simulation.build import BuildCache


@pytest.fixture(scope="session")
def cache_directory() -> Path:
    """Where compiled models live between test runs; the key of each contains its sources and the tool versions."""
    default = Path(__file__).parents[2] / "build" / "test_cache"
    return Path(os.environ.get("HEADRACE_TEST_CACHE", default))


@pytest.fixture(scope="session")
def build_cache(cache_directory: Path) -> BuildCache:
    return BuildCache(cache_directory)
