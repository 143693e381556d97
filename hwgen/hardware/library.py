"""The hand-written RTL library: where its modules are, and how their ports and parameters are written."""

from __future__ import annotations

from functools import cache
from pathlib import Path

RTL_DIRECTORY = Path(__file__).parent / "rtl"


@cache
def library_text(module: str) -> str:
    """Source of one library module with its includes, for hashing."""
    includes = sorted(RTL_DIRECTORY.glob("*.svh"))
    return (RTL_DIRECTORY / f"{module}.sv").read_text() + "".join(p.read_text() for p in includes)


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
