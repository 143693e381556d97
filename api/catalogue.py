"""The device catalogue: plain JSON files of the technologies, read as data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from api.service_views import DeviceView

_FOLDER = Path(__file__).resolve().parent.parent / "hwgen" / "technology" / "catalogue"


@cache
def devices() -> tuple[DeviceView, ...]:
    """Every part of the catalogue, by name. A file holds one part or a list of parts."""
    parts: list[DeviceView] = []
    for path in sorted(_FOLDER.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        entries = data if isinstance(data, list) else data.get("devices", [data])
        parts += [DeviceView.model_validate(entry) for entry in entries]
    return tuple(sorted(parts, key=lambda part: part.name))
