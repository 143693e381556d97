"""Models use the compiled operators of the other tests."""

from tests.hwgen.conftest import build_cache, cache_directory

__all__ = ["build_cache", "cache_directory"]
