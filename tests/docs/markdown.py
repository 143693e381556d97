"""The Markdown files of the repository: their links, anchors and fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^>]*?) -->\n)?(?P<fence>```+)(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_NOT_OURS = ("build/", "demo_output/", "node_modules/", ".")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: of its first line; empty without.
        mark: the comment right before it (``run``, ``run: quick``, ``file: NAME``); empty without.
        text: its lines.
    """

    language: str
    mark: str
    text: str


def files() -> list[Path]:
    """Every Markdown file that is ours."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(
        ROOT / path for path in found if not str(path).startswith(_NOT_OURS) and "node_modules" not in path.parts
    )


def blocks(path: Path) -> list[Block]:
    """The fenced blocks in their order."""
    text = path.read_text("utf-8")
    return [Block(m["language"], m["mark"] or "", m["text"]) for m in _FENCE.finditer(text)]


def links(path: Path) -> Iterator[str]:
    """Targets of links and pictures, those in code left out."""
    yield from _LINK.findall(_without_code(path.read_text("utf-8")))


def anchors(path: Path) -> set[str]:
    """The anchors of headings, as GitHub and the site make them."""
    found: set[str] = set()
    for title in re.findall(r"^#+ +(.+)$", _FENCE.sub("", path.read_text("utf-8")), flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        number = 1
        unique = slug
        while unique in found:
            unique, number = f"{slug}-{number}", number + 1
        found.add(unique)
    return found


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))
