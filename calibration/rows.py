"""The stored rows: one file a family, a line an operator with the cells that Yosys mapped it to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.codec import decode, encode
from hwgen.hardware.operator import Operator
from hwgen.synthesis.yosys import MAPPERS
from hwgen.technology import Resources

ROWS = Path(__file__).parent / "rows"
FAMILIES = tuple(MAPPERS)
CORNERS = "corners"  # source of operators that tests need and designs do not have


@dataclass(frozen=True)
class Row:
    """One operator, mapped alone.

    Attributes:
        operator: the operator.
        source: what drew it: ``designs``, ``cases``, ``corners``, ``adapters`` or ``large`` (see ``draws``).
        held_out: it is in no fit.
        counted: its resources.
    """

    operator: Operator
    source: str
    held_out: bool
    counted: Resources


def key(operator: Operator) -> str:
    """What identifies an operator's hardware."""
    return json.dumps([operator.module, dict(operator.rtl_parameters())])


def read(family: str) -> list[Row]:
    """All rows of a family."""
    mapper = MAPPERS[family]
    return [
        Row(decode(line["operator"]), line["source"], line["held_out"], mapper.count(line["cells"]))
        for line in _lines(family)
    ]


def keys(family: str) -> set[str]:
    """Keys of all rows of a family, as the operators' parameters are today."""
    return {key(row.operator) for row in read(family)}


def is_held_out(operator: Operator) -> bool:
    """Whether a new row of this operator is in no fit, in no family: its digest says so, nobody chooses."""
    return hashlib.sha256(key(operator).encode()).digest()[0] % 2 == 0


def append(family: str, operator: Operator, source: str, cells: Mapping[str, int]) -> None:
    """Store a row."""
    line = {"operator": encode(operator), "source": source, "held_out": is_held_out(operator), "cells": dict(cells)}
    with (ROWS / f"{family}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def _lines(family: str) -> Iterator[dict[str, Any]]:
    path = ROWS / f"{family}.jsonl"
    yield from (json.loads(line) for line in path.read_text().splitlines()) if path.exists() else ()
