"""Markdown: the header of generated pages, tables, text from docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence


def page(title: str, source: str, *parts: str) -> str:
    """A generated page.

    Args:
        title: its heading.
        source: what it follows from, as the end of a sentence.
        parts: the rest, separated by empty lines.
    """
    head = f"Written by `python -m docs.generate` from {source}. Edit that, not this page."
    return "\n\n".join([f"# {title}", head, *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def code(*texts: object) -> str:
    """Texts in code spans, separated by spaces; nothing for none."""
    return " ".join(f"`{text}`" for text in texts)


def prose(docstring: str | None) -> str:
    """A docstring without its sections (Attributes, Args, Raises), literals in single backticks."""
    text = re.split(r"\n\s*(?:Attributes|Args|Returns|Raises):\n", inspect.cleandoc(docstring or ""))[0]
    return text.replace("``", "`").strip()


def line(docstring: str | None) -> str:
    """The first paragraph of a docstring as one line."""
    return " ".join(prose(docstring).split("\n\n")[0].split())


def attributes(docstring: str | None) -> dict[str, str]:
    """The section Attributes of a docstring: text by name; ``a, b: text`` stands under both names."""
    parts = re.split(r"\n\s*Attributes:\n", inspect.cleandoc(docstring or ""))
    section = parts[1] if len(parts) > 1 else ""
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", section.split("\n\n")[0]):
        names, _, text = entry.strip().partition(": ")
        for name in names.split(","):
            found[name.strip()] = " ".join(text.split()).replace("``", "`")
    return found


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
