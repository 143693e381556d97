"""The built dashboard that is committed is that of the committed sources, and small enough."""

import gzip
import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "dashboard"
BUILT = ROOT / "api" / "static" / "dashboard"
BUDGET_BYTES = 450 * 1024


def digest() -> str:
    top = ("build.mjs", "index.html", "package.json", "package-lock.json", "tsconfig.json")
    paths = [SOURCES / name for name in top] + [path for path in (SOURCES / "src").rglob("*") if path.is_file()]
    total = hashlib.sha256()
    for name, path in sorted((path.relative_to(SOURCES).as_posix(), path) for path in paths):
        total.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def test_built_from_these_sources() -> None:
    built = json.loads((BUILT / "build.json").read_text())["sources"]
    assert built == digest(), "dashboard/ changed after it was built: run `make dashboard` and commit its result"


def test_every_file_of_the_page_is_there_and_nothing_comes_from_elsewhere() -> None:
    page = (BUILT / "index.html").read_text()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert named and all(name.startswith("/static/dashboard/") or name == "/openapi.json" for name in named)
    for name in named:
        assert name == "/openapi.json" or (BUILT / Path(name).name).is_file()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=", page), "the policy forbids inline code"


def test_scripts_keep_their_budget() -> None:
    scripts = sorted(BUILT.glob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts) <= BUDGET_BYTES
