"""Files under their content's SHA-256. Rows hold ids; this module alone knows where the bytes lie.

Layout below the data directory::

    blobs/<ab>/<sha256>     an uploaded model or dataset, byte for byte, under its id
    graphs/<sha256>.graph   the canonical graph parsed from the model of that id
    bundles/<trial>.zip     a built bundle, deterministic, so it may be deleted and built again
    bundles/<trial>.trace.json    what its operators did when; may be deleted likewise
    incoming/               uploads and results in flight; safe to empty when nothing runs
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ID = re.compile(r"sha256:([0-9a-f]{64})")
_TRIAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Artefacts:
    """The files of one data directory. Safe from several processes: every file appears whole, by rename."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("blobs", "graphs", "bundles", "incoming"):
            (home / name).mkdir(parents=True, exist_ok=True)

    def blob(self, content_id: str) -> Path:
        """Where the bytes of ``sha256:<hex>`` lie, whether they exist or not; ValueError on another shape of id."""
        digest = _hex(content_id)
        return self.home / "blobs" / digest[:2] / digest

    def graph(self, model_id: str) -> Path:
        """Where the canonical graph of a model lies; ValueError on another shape of id."""
        return self.home / "graphs" / f"{_hex(model_id)}.graph"

    def bundle(self, trial_id: str) -> Path:
        """Where the bundle of a trial lies; ValueError when the id could be a path."""
        return self._built(trial_id, ".zip")

    def activity(self, trial_id: str) -> Path:
        """Where the trace of a trial lies; ValueError when the id could be a path."""
        return self._built(trial_id, ".trace.json")

    def _built(self, trial_id: str, suffix: str) -> Path:
        if not _TRIAL.fullmatch(trial_id):
            raise ValueError(f"not a trial id: {trial_id[:80]!r}")
        return self.home / "bundles" / f"{trial_id}{suffix}"

    @contextmanager
    def incoming(self, suffix: str = "") -> Iterator[Path]:
        """A fresh file to write to; gone at the end unless ``place`` moved it."""
        handle, name = tempfile.mkstemp(suffix=suffix, dir=self.home / "incoming")
        os.close(handle)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def place(self, path: Path, target: Path) -> Path:
        """Move an incoming file to ``target`` atomically, readable by the workers."""
        target.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o644)
        path.replace(target)
        return target


def content_id(path: Path) -> str:
    """``sha256:<hex>`` of a file's bytes."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def fixed_id(file_id: str, fixed: Mapping[str, Any]) -> str:
    """The id of a model some of whose axes or inputs were fixed at upload: another one than the file's alone."""
    if not fixed:
        return file_id
    text = json.dumps(fixed, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(f"{file_id} {text}".encode()).hexdigest()


def _hex(content_id: str) -> str:
    match = _ID.fullmatch(content_id)
    if match is None:
        raise ValueError(f"not a content id: {content_id[:80]!r}")
    return match[1]
