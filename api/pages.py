"""The dashboard: one page for every address under ``/``, built from ``dashboard/`` into ``static/dashboard``."""

from __future__ import annotations

import re
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

PAGES = ("/", "/jobs/{name}", "/trials/{name}", "/compare", "/new", "/models", "/devices", "/health")

_BUILT = files("api") / "static" / "dashboard"
_OPEN = re.compile("|".join(path.replace("{name}", "[^/]+") for path in (*PAGES, "/favicon.ico", "/static/.*")))


def is_page(path: str) -> bool:
    """Whether a path is part of the dashboard itself, which holds no data."""
    return _OPEN.fullmatch(path) is not None


def shell(status: int = 200) -> HTMLResponse:
    """The page that loads the dashboard; it holds only the names of scripts."""
    return HTMLResponse((_BUILT / "index.html").read_text("utf-8"), status, headers={"Cache-Control": "no-cache"})


def _page() -> HTMLResponse:
    return shell()


for _path in PAGES:
    router.get(_path, response_class=HTMLResponse)(_page)


@router.get("/favicon.ico")
def favicon() -> Response:
    """The icon for browsers that ask for it under its old name."""
    return Response((_BUILT / "favicon.svg").read_bytes(), media_type="image/svg+xml")
