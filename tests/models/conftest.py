from __future__ import annotations

from tests.hwgen.conftest import build_cache, cache_directory

__all__ = ["build_cache", "cache_directory"]
