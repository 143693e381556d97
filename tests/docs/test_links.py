"""Every link of every Markdown file that stays in the repository leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, anchors, blocks, files, links


def _targets(makefile: Path) -> set[str]:
    """What make itself has read, asked for a target that does not exist: variables and patterns are filled in."""
    database = ["make", "--print-data-base", "--question", "--no-builtin-rules", "--file", str(makefile), "nothing"]
    read = subprocess.run(database, cwd=makefile.parent, capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"^([a-z][a-z-]*):", read, flags=re.M)) - {"nothing"}


TARGETS = _targets(ROOT / "Makefile") | _targets(ROOT / "hwgen" / "simulation" / "bundle_files" / "Makefile")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    broken = [target for target in links(path) if not _leads_somewhere(path, target)]
    assert not broken


def _leads_somewhere(path: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    name, _, anchor = target.partition("#")
    file = (path.parent / name) if name else path
    return file.exists() and (not anchor or anchor in anchors(file))


def test_every_page_is_on_the_site() -> None:
    listed = re.findall(r"^ +- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), flags=re.M)
    root = {"README.md", "ARCHITECTURE.md", "CHANGELOG.md"}
    pages = {str(path.relative_to(ROOT / "docs")) for path in files() if path.is_relative_to(ROOT / "docs")}
    assert len(listed) == len(set(listed)) and set(listed) == pages | root


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One title\n[a](#one-title) [b](#two) [c](none.md) ![d](page.md#one-title)\n```\n[e](f.md)\n```\n"
    )
    assert [t for t in links(page) if not _leads_somewhere(page, t)] == ["#two", "none.md"]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_and_modules_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    named = set(re.findall(r"(?:`|^)make (?:-C \S+ )?([a-z-]+)", text, flags=re.M))
    assert named <= TARGETS
    modules = set(re.findall(r"python -m ((?:api|benchmarks|calibration|docs|headrace|tests|workers)[\w.]*)", text))
    assert not [name for name in modules if importlib.util.find_spec(name) is None]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(path: Path) -> None:
    if path.name == "CHANGELOG.md":  # it tells of files that are gone
        return
    folders = "api|benchmarks|calibration|db|docs|explorer|headrace|hwgen|tests|workers"
    named = re.findall(rf"(?:`| )((?:{folders})/[\w./]+\.\w+)(?:`|\b)", path.read_text("utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_are_marked_as_something_that_is_run(path: Path) -> None:
    for block in blocks(path):
        assert re.fullmatch(r"(run(: quick)?|file: [\w.]+)?", block.mark), block.mark
        if block.language == "bash":
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
        if block.language == "python":
            compile(block.text, str(path), "exec")
