"""Problem documents as pages, for browsers: what a person sees who follows an old link."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parent / "templates"
_environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
_STYLE = (_TEMPLATES / "error.css").read_text("utf-8")
# The page brings its own style, so that it looks the same wherever an error comes from; the policy names its hash.
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def page(document: bytes) -> bytes:
    """The page of a problem document."""
    return _environment.get_template("error.html").render(problem=json.loads(document), style=_STYLE).encode()


def prefers_page(accept: Sequence[str]) -> bool:
    """Whether a request with these ``Accept`` headers would rather have HTML than JSON.

    Browsers name ``text/html``; clients of the API name JSON, anything at all, or nothing.
    """
    ranges = [part.strip() for header in accept for part in header.split(",")]
    html = max(
        (_quality(part) for part in ranges if _media(part) in ("text/html", "application/xhtml+xml")), default=0.0
    )
    document = max((_quality(part) for part in ranges if _media(part) in _DOCUMENTS), default=0.0)
    return html > document


_DOCUMENTS = ("application/json", "application/problem+json")


def _media(part: str) -> str:
    return part.partition(";")[0].strip().lower()


def _quality(part: str) -> float:
    """The weight of one range of an ``Accept`` header; 1 where none is given, 0 where it cannot be read."""
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
