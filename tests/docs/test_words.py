"""A stranger finds what the words mean, and every page from another one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, files, links

DOCS = ROOT / "docs"
CONCEPTS = DOCS / "concepts.md"
# What a reader meets on every page.
WORDS = (
    "candidate", "trial", "job", "lane", "stream", "beat", "token", "back-pressure", "latency", "interval", "rung",
    "integer reference", "words", "Pareto front", "hypervolume", "pipeline", "tensor", "signed off", "clock_source",
)  # fmt: skip
PAGES = sorted(DOCS.glob("*.md")) + sorted((DOCS / "reference").glob("*.md"))


@pytest.fixture(scope="module")
def shown() -> dict[Path, set[Path]]:
    """What each Markdown file links and shows, itself left out."""
    return {path: {(path.parent / target.partition("#")[0]).resolve() for target in links(path)} for path in files()}


@pytest.mark.parametrize("word", WORDS)
def test_concepts_explain_it(word: str) -> None:
    bold = {text.lower() for text in re.findall(r"\*\*`?([^*`]+)`?\*\*", CONCEPTS.read_text("utf-8"))}
    assert bold & {word.lower(), f"{word.lower()}s"}


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md"])
def test_first_pages_lead_to_the_words(page: str, shown: dict[Path, set[Path]]) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert CONCEPTS in shown[ROOT / page]
    assert re.search(r"\blanes?\b", text) and re.search(r"\binterval\b", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_somebody_links_it(page: Path, shown: dict[Path, set[Path]]) -> None:
    assert any(page in targets for path, targets in shown.items() if path != page)


def test_every_figure_is_shown(shown: dict[Path, set[Path]]) -> None:
    figures = {*(DOCS / "figures").iterdir(), *DOCS.glob("*.png")}
    assert figures and figures <= set().union(*shown.values())
