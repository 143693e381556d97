"""``docs/models.md`` lists exactly the ONNX operators that the importer handles."""

from __future__ import annotations

import re
from pathlib import Path

from hwgen.model.onnx.walk import HANDLERS

_ONLY_REFUSALS = {"LogSoftmax", "ArgMax"}  # handled to say that they are accepted as last operators


def test_every_operator_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")
    rows = re.findall(r"^\| ([A-Z][A-Za-z ]+) \|", text, flags=re.MULTILINE)
    listed = {name for row in rows for name in row.split() if row != "ONNX operators"}
    assert listed == set(HANDLERS) - _ONLY_REFUSALS
