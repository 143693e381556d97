"""Opaque keyset cursors: stable under inserts, and never an offset."""

from __future__ import annotations

import base64
import binascii
import json

from db.errors import CursorError

_REFUSAL = "not a cursor of this list: pass its next_cursor as it is, or leave the cursor out to start again"


def encode(*key: float | int | str) -> str:
    """The cursor that stands for the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, types: tuple[type, ...]) -> tuple[object, ...]:
    """The key in ``cursor``, whose parts must have the given types.

    Raises:
        CursorError: the text is not a cursor of this kind of list.
    """
    if len(cursor) > 512:
        raise CursorError(_REFUSAL)
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise CursorError(_REFUSAL) from error
    fits = isinstance(key, list) and len(key) == len(types)
    if not fits or any(type(part) is not kind for part, kind in zip(key, types, strict=True)):
        raise CursorError(_REFUSAL)
    if any(isinstance(part, int) and not 0 <= part < 2**63 for part in key):
        raise CursorError(_REFUSAL)
    return tuple(key)
