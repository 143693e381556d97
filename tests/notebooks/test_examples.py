"""The notebooks of ``examples/`` run from a clean kernel, and their pictures and cards are in the outputs."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from headrace.service import LocalService
from tests.notebooks.kernel import ROOT, environment

EXAMPLES = ROOT / "examples"
# Enough for a person to wait; one runs with every change.
_QUICK = "explore_one_model"
_SECONDS = 1500


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    kept = os.environ.get("HEADRACE_EXAMPLES_HOME")  # compiled operators of an earlier run
    with LocalService(Path(kept) if kept else tmp_path_factory.mktemp("home")) as running:
        yield running


def executed(name: str, url: str, folder: Path) -> list[nbformat.NotebookNode]:
    """The outputs of every cell, run in a clean kernel in ``folder``."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=_SECONDS, kernel_name="python3", coalesce_streams=True)
    client.execute(env=environment(url, folder / ".ipython"), cwd=str(folder))
    if os.environ.get("HEADRACE_WRITE_EXAMPLES"):
        nbformat.write(notebook, EXAMPLES / f"{name}.ipynb")
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def check(outputs: list[nbformat.NotebookNode], cards: int) -> str:
    """A picture, cards and no complaint; gives all text."""
    data = [output.data for output in outputs if "data" in output]
    pictures = [base64.b64decode(d["image/png"]) for d in data if "image/png" in d]
    assert pictures and all(picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) > 10_000 for picture in pictures)
    assert sum("headrace-card" in d.get("text/html", "") for d in data) >= cards
    complaints = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr" and "arning" in o.text]
    assert not complaints
    return "\n".join([d["text/plain"] for d in data] + [o.text for o in outputs if o.output_type == "stream"])


def test_explore_one_model(service: LocalService, tmp_path: Path) -> None:
    text = check(executed(_QUICK, service.url, tmp_path), cards=3)
    assert "mismatched_words" in text and "'Makefile'" in text and "'vectors'" in text


@pytest.mark.slow
def test_sweep_models_and_platforms(service: LocalService, tmp_path: Path) -> None:
    text = check(executed("sweep_models_and_platforms", service.url, tmp_path), cards=2)
    assert r"\begin{tabular}" in text and (tmp_path / "fronts.pdf").read_bytes()[:5] == b"%PDF-"


@pytest.mark.slow
def test_character_transformer(service: LocalService, tmp_path: Path) -> None:
    text = check(executed("character_transformer", service.url, tmp_path), cards=2)
    assert "perplexity" in text and "MXINT4" in text


def test_every_notebook_is_run_by_a_test() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.ipynb")}
    assert names == {"explore_one_model", "sweep_models_and_platforms", "character_transformer"}
