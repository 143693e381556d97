"""Errors of the fitted technologies against the stored rows, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.rows import CORNERS, Row, read
from hwgen.technology import technology

# An error is relative to the larger of the count and this floor: one flip-flop of three is no error of 33 %.
FLOORS = {"lut": 50.0, "ff": 50.0, "dsp": 4.0, "bram": 4.0}


def errors(family: str, found: Sequence[Row]) -> dict[str, np.ndarray]:
    """Relative error of every row, by resource."""
    estimates = [technology(family).area(row.operator.bill()) for row in found]
    return {
        kind: np.array(
            [
                abs(getattr(estimate, kind) - getattr(row.counted, kind)) / max(getattr(row.counted, kind), floor)
                for estimate, row in zip(estimates, found, strict=True)
            ]
        )
        for kind, floor in FLOORS.items()
    }


def report(family: str) -> str:
    """Markdown: the errors of a family on the rows held out, on those of its fit, and on its corner cases."""
    found = read(family)
    parts = {
        "held-out rows": [row for row in found if row.held_out],
        "rows of the fit": [row for row in found if not row.held_out and row.source != CORNERS],
        "corner cases, all in the fit": [row for row in found if row.source == CORNERS],
    }
    return "\n\n".join(f"### {family}: {title}\n\n{_table(family, rows)}" for title, rows in parts.items())


def _table(family: str, found: Sequence[Row]) -> str:
    if not found:
        return "No rows."
    head = "| operator | rows | LUT median / 90 % / worst | FF | DSP | block RAM |\n|---|---|---|---|---|---|"
    modules = sorted({_kind(row) for row in found})
    lines = [_line(family, module, [row for row in found if _kind(row) == module]) for module in modules]
    return "\n".join([head, *lines, _line(family, "**all**", found)])


def _kind(row: Row) -> str:
    return row.operator.module.removeprefix("dse_").rstrip("0123456789")


def _line(family: str, name: str, found: Sequence[Row]) -> str:
    cells = [" / ".join(f"{q:.1%}" for q in np.quantile(e, (0.5, 0.9, 1.0))) for e in errors(family, found).values()]
    return f"| {name} | {len(found)} | {' | '.join(cells).replace('%', ' %')} |"
