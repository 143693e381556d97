"""Findings that outlive their process: one file a key, shared by all workers of a machine."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from explorer.rungs.rung import Findings
from hwgen.tools.eviction import mark_used

FOLDER = "rungs"


class Records:
    """Findings by rung and key.

    Args:
        cache: directory that ``hwgen.tools.eviction`` keeps below a size.
    """

    def __init__(self, cache: Path) -> None:
        self._directory = cache / FOLDER
        self._known: dict[tuple[str, str], Findings] = {}

    def get(self, rung: str, key: str) -> Findings | None:
        """What was found under a key, None where nothing is on record."""
        path = self._path(rung, key)
        if (rung, key) not in self._known and mark_used(path):
            self._known[rung, key] = Findings.from_json(json.loads(path.read_text("utf-8")))
        return self._known.get((rung, key))

    def put(self, rung: str, key: str, found: Findings) -> None:
        """Put findings on record; they appear whole or not at all."""
        self._known[rung, key] = found
        path = self._path(rung, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not by process id: in a sandbox of its own, every evaluator has the same.
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        scratch.write_text(json.dumps(found.to_json()), "utf-8")
        scratch.rename(path)

    def _path(self, rung: str, key: str) -> Path:
        return self._directory / rung / f"{key}.json"
