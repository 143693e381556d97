"""Fit the weights of every family to its rows, and report the errors on the rows that are held out.

Usage: python -m calibration.fit [--report docs/resource_model.md]

Relative errors are minimised, large ones with less than their square's weight. A weight is drawn towards its prior: 1,
the value of a part that shares nothing with others, or what a related family has. So one that few rows tell stays
sensible.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import lsq_linear

from calibration.report import FLOORS, report
from calibration.rows import CORNERS, FAMILIES, Row, read
from hwgen.technology.technology import FABRICS, Technology, technology, weights_file
from hwgen.technology.terms import TERMS

# A family and the one whose weights are its priors: the mapper's logic for both is nearly the same.
RELATED = {"series7": "ultrascale_plus"}
PULL = 0.004  # of a weight towards its prior, in squares of relative errors
LEAST, MOST = 0.2, 6.0  # a weight, in units of its prior and at all: no logic is free
CORNER_WEIGHT = 0.4  # of the error of a corner case
SMALL_ERROR = 0.25  # errors above it count less than their square
Weights = dict[str, float]


def fit(family: str, train: Sequence[Row]) -> Technology:
    """The family with a weight for every term."""
    unweighed = Technology(family, FABRICS[family], {}, {})
    prior = technology(RELATED[family]) if family in RELATED else unweighed
    lut, ff = (_weights(unweighed, train, kind, getattr(prior, kind)) for kind in ("lut", "ff"))
    return replace(unweighed, lut=lut, ff=ff)


def _weights(unweighed: Technology, train: Sequence[Row], kind: str, prior: Mapping[str, float]) -> Weights:
    parts = [getattr(unweighed.terms(row.operator.bill()), kind) for row in train]
    scale = np.array([max(getattr(row.counted, kind), FLOORS[kind]) for row in train])
    target = np.array([getattr(row.counted, kind) for row in train]) / scale
    matrix = np.array([[part.get(name, 0.0) for name in TERMS] for part in parts]) / scale[:, None]
    centre = np.array([prior.get(name, 1.0) for name in TERMS])
    importance = np.array([CORNER_WEIGHT if row.source == CORNERS else 1.0 for row in train])
    solution = _solve(matrix, target, centre, importance)
    return {name: round(float(value), 4) for name, value in zip(TERMS, solution, strict=True)}


def _solve(matrix: np.ndarray, target: np.ndarray, centre: np.ndarray, importance: np.ndarray) -> np.ndarray:
    pull, weight, bounds = np.sqrt(PULL), importance, (LEAST * np.minimum(centre, 1.0), MOST)
    solution = centre
    for _ in range(8):  # reweighted least squares
        system = np.vstack([matrix * weight[:, None], pull * np.eye(len(centre))])
        solution = lsq_linear(system, np.concatenate([target * weight, pull * centre]), bounds=bounds).x
        weight = importance / np.sqrt(np.maximum(np.abs(matrix @ solution - target), SMALL_ERROR) / SMALL_ERROR)
    return solution


def write(fitted: Technology) -> None:
    """Ship the weights."""
    text = json.dumps({"lut": fitted.lut, "ff": fitted.ff}, indent=1)
    weights_file(fitted.family).write_text(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="replace the tables of this Markdown file")
    path = parser.parse_args().report
    for family in FAMILIES:
        write(fit(family, [row for row in read(family) if not row.held_out]))
        technology.cache_clear()
    text = "\n\n".join(map(report, FAMILIES))
    print(text)
    if path:
        before, mark, _ = path.read_text().partition("<!-- tables -->")
        path.write_text("\n".join([before.rstrip("\n"), "", mark, "", text, ""]))


if __name__ == "__main__":
    main()
