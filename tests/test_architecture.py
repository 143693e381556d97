"""The structure that the documents promise: no import cycle, no junk drawer, documented names."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import networkx
import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "workers", "explorer", "hwgen", "db", "headrace")


def test_no_import_cycle() -> None:
    graph = grimp.build_graph(*PACKAGES)
    edges = [
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    ]
    cycles = [c for c in networkx.strongly_connected_components(networkx.DiGraph(edges)) if len(c) > 1]
    assert not cycles


def test_no_junk_drawer() -> None:
    names = {"utils", "util", "common", "helpers", "tools", "misc"}
    assert not [p for package in PACKAGES for p in (ROOT / package).rglob("*.py") if p.stem in names]


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_are_documented(package: str) -> None:
    missing = []
    for path in (ROOT / package).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        public = [
            node
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        ]
        missing += [f"{path.relative_to(ROOT)}:{node.name}" for node in public if ast.get_docstring(node) is None]
    assert not missing
