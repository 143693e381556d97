"""The file that makes a sweep's cell safe to run again: written before anything is submitted.

It holds the key under which the sweep is submitted and, once the service has answered, the sweep's id. A kernel that
dies in between leaves the key, and submitting again under the same key is the same sweep.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from headrace.errors import HeadraceError, NotFound
from headrace.http import requests
from headrace.http.requests import Document
from headrace.http.steps import Steps

FOLDER = Path("headrace-sweeps")
_VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """What is known of a sweep.

    Attributes:
        digest: of the form that is submitted.
        key: idempotency key of its submission.
        sweep: its id; None until the service answered.
        version: of this file's format.
    """

    digest: str
    key: str
    sweep: str | None = None
    version: int = _VERSION


def start(form: Mapping[str, Any], place: Path | None) -> Steps[Document]:
    """Submit a sweep, or find the one that was submitted.

    Args:
        form: the request's body.
        place: the manifest; None: below ``headrace-sweeps`` under the form's digest, so that another form is another
            sweep.

    Raises:
        HeadraceError: the manifest belongs to another form, is no manifest, or names a sweep that is gone.
    """
    digest = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
    place = FOLDER / f"{digest[:16]}.json" if place is None else place
    manifest = _opened(place, digest)
    if manifest.sweep is not None:
        return (yield from _known(manifest.sweep, place))
    document = yield from requests.submit_sweep(form, manifest.key)
    _write(place, replace(manifest, sweep=str(document["id"])))
    return document


def _known(sweep: str, place: Path) -> Steps[Document]:
    try:
        return (yield from requests.document("sweeps", sweep))
    except NotFound as error:
        raise HeadraceError(
            f"{place} is the manifest of sweep {sweep}, which this service does not have: connect to the service that "
            "it was submitted to, or remove the file to submit it here"
        ) from error


def _opened(place: Path, digest: str) -> Manifest:
    """The manifest, made if it is not there; of two kernels that make one, both get the first."""
    with contextlib.suppress(FileExistsError):
        _write(place, Manifest(digest, f"sweep-{uuid.uuid4()}"), new=True)
    try:
        manifest = Manifest(**json.loads(place.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise HeadraceError(f"{place} is no manifest of a sweep ({error}): name another file") from error
    if manifest.digest != digest:
        raise HeadraceError(
            f"{place} is the manifest of another sweep: its models, platforms, spaces or other fields were different. "
            "Name another file as manifest=, or remove this one to submit anew"
        )
    return manifest


def _write(place: Path, manifest: Manifest, *, new: bool = False) -> None:
    """Write whole or not at all, and onto the disk; with ``new`` only where there is no file yet."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=place.parent, suffix=".part", delete=False) as out:
        json.dump(asdict(manifest), out, indent=2)
        out.flush()
        os.fsync(out.fileno())
    written = Path(out.name)
    try:
        os.link(written, place) if new else written.replace(place)
    finally:
        written.unlink(missing_ok=True)
