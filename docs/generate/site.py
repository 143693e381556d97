"""A hook of mkdocs: the pages at the repository's root belong to the site, and their links are followed there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the root; ``docs/`` falls away in their links, as it does in the site."""
    from mkdocs.structure.files import File

    for name in PAGES:
        files.append(File.generated(config, name, content=_of_the_root((ROOT / name).read_text("utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links from ``docs/`` to a page of the root stay in the folder."""
    return re.sub(rf"\]\(\.\./({'|'.join(map(re.escape, PAGES))})", r"](\1", markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that loads anything from the network.

    Raises:
        ValueError: it does; the message names what.
    """
    for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", output):
        if re.search(r"""\b(?:src|href)=["'](?:https?:)?//""", tag):
            raise ValueError(f"{page.file.src_uri} needs the network: {tag}")
    return output


def _of_the_root(markdown: str) -> str:
    return re.sub(r"\]\(docs/", "](", markdown)
