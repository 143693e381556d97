"""Fit the coefficients of the resource model to the Yosys grid and report the error on the held-out rows.

Usage: python -m benchmarks.fit_resources [--report docs/resource_model.md]

Relative errors are minimised, large ones with less than their square's weight. The coefficients of all operators are
fitted together first, drawn towards 1, the value of a part that shares nothing with others; those of each operator are
drawn towards that common value. So a part that few rows have keeps a sensible size.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from hwgen.resources import COEFFICIENTS, DATA_DIRECTORY, coefficients, estimate_parameters, family, terms

# An error is relative to the larger of the count and this floor: one flip-flop of three is no error of 33 %.
FLOORS = {"lut": 50.0, "ff": 50.0, "dsp": 4.0, "bram18": 4.0}
COMMON_WEIGHT = 0.5  # pull of the common coefficients towards 1, in squares of relative errors
OWN_WEIGHT = 0.3  # pull of an operator's coefficients towards the common ones
SMALL_ERROR = 0.05  # errors above it count less than their square
Row = dict[str, Any]


def rows() -> list[Row]:
    """All rows of the grid."""
    files = sorted(p for p in DATA_DIRECTORY.glob("*.json") if p != COEFFICIENTS)
    return [row for path in files for row in json.loads(path.read_text())]


def fit(train: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Coefficients per module, resource and term."""
    by_module: dict[str, list[Row]] = defaultdict(list)
    for row in train:
        by_module[family(row["module"])].append(row)
    found: dict[str, dict[str, dict[str, float]]] = {module: {} for module in sorted(by_module)}
    for kind in ("lut", "ff"):
        common = _weights(train, kind, {}, COMMON_WEIGHT)
        for module, rows_of_module in by_module.items():
            found[module][kind] = _weights(rows_of_module, kind, common, OWN_WEIGHT)
    return found


def _weights(found: Sequence[Row], kind: str, prior: Mapping[str, float], pull: float) -> dict[str, float]:
    parts = [getattr(terms(row["module"], row["parameters"]), kind) for row in found]
    names = sorted({name for part in parts for name in part})
    scale = np.array([max(row[kind], FLOORS[kind]) for row in found])
    matrix = np.array([[part.get(name, 0.0) for name in names] for part in parts]) / scale[:, None]
    target = np.array([row[kind] for row in found]) / scale
    centre = np.sqrt(pull) * np.array([prior.get(name, 1.0) for name in names])
    weight = np.ones(len(found))
    for _ in range(6):  # reweighted least squares
        rows_and_prior = np.vstack([matrix * weight[:, None], np.sqrt(pull) * np.eye(len(names))])
        solution = lsq_linear(rows_and_prior, np.concatenate([target * weight, centre]), bounds=(0.0, 6.0)).x
        weight = 1 / np.sqrt(np.maximum(np.abs(matrix @ solution - target), SMALL_ERROR) / SMALL_ERROR)
    return {name: round(float(value), 4) for name, value in zip(names, solution, strict=True)}


def errors(found: Sequence[Row]) -> dict[str, np.ndarray]:
    """Relative error of every row, by resource."""
    result: dict[str, list[float]] = defaultdict(list)
    for row in found:
        estimated = estimate_parameters(row["module"], row["parameters"])
        for kind, floor in FLOORS.items():
            result[kind].append(abs(getattr(estimated, kind) - row[kind]) / max(row[kind], floor))
    return {kind: np.array(values) for kind, values in result.items()}


def table(found: Sequence[Row]) -> list[str]:
    """Markdown rows of median and worst error, for each operator and overall."""
    lines = ["| operator | rows | LUT median / worst | FF | DSP | block RAM |", "|---|---|---|---|---|---|"]
    modules = sorted({family(row["module"]) for row in found})
    for name in [*modules, "**all**"]:
        part = [row for row in found if name in (family(row["module"]), "**all**")]
        cells = [f"{100 * np.median(e):.1f} % / {100 * e.max():.1f} %" for e in errors(part).values()]
        lines.append(f"| {name.removeprefix('dse_')} | {len(part)} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="replace the tables of this Markdown file")
    parser.add_argument("--verbose", action="store_true", help="print every row with an error above 25 %%")
    arguments = parser.parse_args()
    found = rows()
    train, held_out = ([row for row in found if row["held_out"] == flag] for flag in (False, True))
    COEFFICIENTS.write_text(json.dumps(fit(train), indent=1) + "\n")
    coefficients.cache_clear()
    if arguments.verbose:
        for row in found:
            for kind, error in errors([row]).items():
                if error[0] > 0.25:
                    found_value = getattr(estimate_parameters(row["module"], row["parameters"]), kind)
                    where = f"{row['module']} held_out={row['held_out']} {kind}"
                    print(f"{where}: {found_value:.0f} for {row[kind]:.0f}", row["parameters"])
    text = ["### Held-out rows", "", *table(held_out), "", "### Rows of the fit", "", *table(train)]
    print("\n".join(text))
    if arguments.report:
        before, mark, _ = arguments.report.read_text().partition("<!-- tables -->")
        arguments.report.write_text("\n".join([before.rstrip("\n"), "", mark, "", *text, ""]))


if __name__ == "__main__":
    main()
