"""Pages and figures that follow from the code are those that the code makes now."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from docs.generate import environment, metrics, pages
from docs.generate.figures import timing
from docs.generate.markdown import attributes, line, table

FIGURES = [path for path in pages.MAKERS if path.endswith(".svg")]


@pytest.mark.parametrize("path", pages.MAKERS)
def test_up_to_date(path: str) -> None:
    assert (pages.ROOT / path).read_text("utf-8") == pages.MAKERS[path](), "run python -m docs.generate"


def test_no_other_file_is_there() -> None:
    there = {f"docs/{p.relative_to(pages.ROOT / 'docs')}" for f in ("reference", "figures")
             for p in (pages.ROOT / "docs" / f).iterdir()}  # fmt: skip
    assert there == set(pages.MAKERS)


@pytest.mark.parametrize("path", FIGURES)
def test_figures_are_readable_in_light_and_dark(path: str) -> None:
    root = ET.fromstring(pages.MAKERS[path]())
    (style,) = (e.text or "" for e in root if e.tag.endswith("style"))
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    used = {e.get("class") for e in root.iter() if e.get("class")}
    assert used and all(f".{name}{{" in side for name in used for side in (light, dark))
    assert next(e.text for e in root if e.tag.endswith("title"))
    width, height = (float(root.get(side) or 0) for side in ("width", "height"))
    for text in (e for e in root.iter() if e.tag.endswith("text")):
        left, length = float(text.get("x") or -1), 0.5 * float(text.get("font-size") or 0) * len(text.text or "")
        left -= {"start": 0, "middle": length / 2, "end": length}[text.get("text-anchor") or ""]
        assert left >= 0 and left + length <= width and 0 <= float(text.get("y") or -1) <= height, text.text


def test_the_figure_of_timing_shows_a_pipeline() -> None:
    rows = timing.schedule()
    for row in rows:
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(row))
    assert rows[-1][2][1] - rows[-1][1][1] == max(work for _, work, _ in timing.OPERATORS)


def test_what_has_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(metrics.TEXTS, "est_lut")
    with pytest.raises(ValueError, match="est_lut"):
        metrics.write()
    monkeypatch.delitem(environment._OTHERS, "HEADRACE_BWRAP")
    with pytest.raises(ValueError, match="HEADRACE_BWRAP"):
        environment.write()


def test_markdown_of_docstrings() -> None:
    doc = """Head of ``x``
    goes on.

    More.

    Attributes:
        a, b: text
            goes on.
        c: other.

    Args:
        d: no.
    """
    assert line(doc) == "Head of `x` goes on."
    assert attributes(doc) == {"a": "text goes on.", "b": "text goes on.", "c": "other."}
    assert table(["h"], [["a|b"]]).splitlines()[-1] == "| a\\|b |"


def test_every_operator_and_format_is_in_the_reference() -> None:
    sources = {p.stem for p in (pages.ROOT / "hwgen" / "hardware" / "rtl").glob("dse_*.sv")}
    named = set(re.findall(r"dse_\w+", (pages.ROOT / "docs/reference/operators.md").read_text("utf-8")))
    cells = {"dse_join"}  # in no operator of a design: the proofs use it
    assert sources - named <= cells
