"""Map the drawn operators with Yosys and append a row for each to ``calibration/rows``.

Usage: python -m calibration.synthesize [--seconds 900]

A row that is there already is not mapped again, so an interrupted run continues; delete the files to redraw all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from calibration import rows
from calibration.draws import Draw, plan
from hwgen.errors import ToolError
from hwgen.synthesis.yosys import synthesize_operators


def collect(group: Sequence[Draw], family: str, seconds: float) -> None:
    """Store the rows of a group that the family lacks; where the group fails, its operators are mapped one by one."""
    known = rows.keys(family)
    wanted = [draw for draw in group if rows.key(draw.operator) not in known]
    if not wanted:
        return
    start = time.monotonic()
    try:
        found = synthesize_operators([(draw.operator, draw.contents) for draw in wanted], [family], seconds)
    except ToolError as error:
        print(family, len(wanted), "failed:", error, wanted[0].operator.describe(), flush=True)
        for draw in wanted if len(wanted) > 1 else ():
            collect([draw], family, seconds)
        return
    for draw, result in zip(wanted, found, strict=True):
        rows.append(family, draw.operator, draw.source, result[family].cells)
    names = " ".join(draw.operator.module for draw in wanted)
    print(f"{family} {time.monotonic() - start:.0f} s {wanted[0].source} {names}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=900.0, help="longest mapping of one group")
    seconds = parser.parse_args().seconds
    for group in plan():
        for family in reversed(rows.FAMILIES):  # the one that maps fastest first
            collect(group, family, seconds)


if __name__ == "__main__":
    main()
