"""The hand-written RTL library: where its modules are, and how their ports and parameters are written."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

RTL_DIRECTORY = Path(__file__).parent / "rtl"
INCLUDE = re.compile(r'^ *`include "(\w+\.svh)"', re.MULTILINE)  # headers include no headers


@cache
def library_text(module: str) -> str:
    """Source of one library module with the headers that it includes, for hashing."""
    text = (RTL_DIRECTORY / f"{module}.sv").read_text()
    return text + "".join((RTL_DIRECTORY / name).read_text() for name in INCLUDE.findall(text))


def stream_ports(prefix: str, direction: str) -> tuple[str, ...]:
    """Port names of a stream seen from the module: ``direction`` is ``in`` or ``out``."""
    forward, backward = ("i", "o") if direction == "in" else ("o", "i")
    return (
        f"{prefix}_valid_{forward}",
        f"{prefix}_ready_{backward}",
        f"{prefix}_payload_{forward}",
        f"{prefix}_last_{forward}",
    )


def parameter_literal(value: int) -> str:
    """A parameter value as SystemVerilog text; wide and negative values need a sized literal."""
    return str(value) if -(1 << 31) <= value < 1 << 31 else f"{'-' if value < 0 else ''}64'sd{abs(value)}"
