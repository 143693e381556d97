"""The table of docs/timing.md: designs placed and routed for LFE5U-85F, speed grade 8, three seeds, the median."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from hwgen.errors import HwgenError
from hwgen.hardware.design import Design
from hwgen.model.load import import_file
from hwgen.synthesis.route import Router
from hwgen.technology import technology
from hwgen.tools.ecp5 import DEFAULT_PART, Figures, Part
from tests.models.cache import ModelFixture
from tests.models.candidate import Plan, candidate, graph_inputs
from tests.models.digits import digits_cnn
from tests.models.tinyml import resnet8

SEEDS = (1, 2, 3)
CALIBRATION_SAMPLES = 32


@dataclass(frozen=True)
class Row:
    """One design of the table."""

    name: str
    plan: Plan


DESIGNS = {
    "digits CNN": digits_cnn,
    "ResNet-8": resnet8,
}
ROWS = (
    Row("digits CNN", Plan("int8", "int8", 1)),
    Row("digits CNN", Plan("int8", "int8", 4)),
    Row("digits CNN", Plan("int8", "int8", 8)),
    Row("ResNet-8", Plan("int8", "int8", 1)),
)
HEAD = (
    "| design | lanes | Fmax MHz, median (seeds) | LUT4 routed / estimated | FF | MULT18 | EBR | limited by |\n"
    "|---|---|---|---|---|---|---|---|"
)


def design_of(fixture: ModelFixture, plan: Plan) -> Design:
    """The design of a plan on one device."""
    graph = import_file(fixture.onnx).graph
    inputs = graph_inputs(graph, np.load(fixture.dataset)["inputs"])
    design: Design = candidate(graph, plan, {name: array[:CALIBRATION_SAMPLES] for name, array in inputs.items()})
    return design


def line(row: Row, design: Design, found: list[Figures]) -> str:
    """One row of the table; the figures beside the clock are those of the run with the median clock."""
    middle = sorted(found, key=lambda figures: figures.fmax_mhz)[len(found) // 2]
    priced = [technology("ecp5").area(instance.operator.bill()) for instance in design.instances]
    lut, ff, dsp, bram = (sum(getattr(area, name) for area in priced) for name in ("lut", "ff", "dsp", "bram"))
    clocks = ", ".join(f"{figures.fmax_mhz:.1f}" for figures in found)
    path = middle.critical_path
    modules = {instance.name: instance.operator.module for instance in design.instances}
    limit = f"{modules.get(path.operator, path.operator)} `{path.operator}`, {path.stage}: {path.ns:.1f} ns"
    return (
        f"| {row.name} {row.plan.weights}/{row.plan.activations} | {row.plan.most_lanes} "
        f"| **{median(f.fmax_mhz for f in found):.1f}** ({clocks}) "
        f"| {middle.lut:,} / {lut:,.0f} | {middle.ff:,} / {ff:,.0f} "
        f"| {middle.dsp} / {dsp:.0f} | {middle.bram} / {bram:.0f} | {limit}, {path.routing_ns:.1f} of it in wires |"
    )


def main(cache: Path, chosen: str) -> None:
    """Route the rows whose name and lanes hold a text, and print them as they come."""
    router, part = Router(cache), Part.parse(DEFAULT_PART)
    print(HEAD, flush=True)
    for row in ROWS:
        if chosen not in f"{row.name} {row.plan.most_lanes}":
            continue
        design = design_of(DESIGNS[row.name](), row.plan)
        try:
            found = [router.route(design, 0, part, seed).figures for seed in SEEDS]
        except HwgenError as error:
            print(f"| {row.name} | {row.plan.most_lanes} | not routed: {error} | | | | | |", flush=True)
            continue
        print(line(row, design, found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
