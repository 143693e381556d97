"""The resource model against the committed Yosys results, and its thresholds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.fit_resources import errors, rows
from hwgen.errors import ToolError
from hwgen.hardware.operators.matvec import Matvec
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize
from hwgen.resource_blocks import dsp_slices, ram, rom
from hwgen.resource_models import MODELS
from hwgen.resources import COEFFICIENTS, estimate, family
from hwgen.synthesis.yosys import count, parse_cells
from tests.hwgen.conformance.registry import OPERATORS, cases


def product(in_lanes, out_lanes, bits=8):
    fmt = IntFormat(bits, True)
    return Matvec(1, 1, 64, 64, in_lanes, out_lanes, fmt, fmt, 2 * bits + 6, Requantize(fmt), 5, True)


# Median and worst error on the held-out rows.
GOAL = dict.fromkeys(("lut", "ff", "dsp", "bram18"), (0.10, 0.30))


def test_error_on_held_out_rows():
    held_out = [row for row in rows() if row["held_out"]]
    assert len(held_out) >= 30
    for kind, found in errors(held_out).items():
        median, worst = GOAL[kind]
        assert np.median(found) <= median, kind
        assert found.max() <= worst, (kind, held_out[int(found.argmax())])


def test_every_operator_has_terms():
    for name in OPERATORS:
        operator = next(iter(cases(name, "quick"))).operator
        found = estimate(operator)
        assert found.lut > 0 and found.ff > 0
        assert operator.module in MODELS, f"{operator.module} is estimated as a bare stream"


def test_coefficients_belong_to_terms():
    assert set(json.loads(COEFFICIENTS.read_text())) <= {family(module) for module in MODELS}


def test_more_lanes_cost_more():
    small, large = estimate(product(2, 2)), estimate(product(8, 8))
    assert large.lut > 2 * small.lut and large.ff > small.ff
    assert (small.dsp, large.dsp) == (4, 64)
    assert estimate(product(8, 8, bits=2)).dsp == 0


@pytest.mark.parametrize(
    ("a", "b", "slices"), [(4, 4, 0), (5, 4, 1), (1, 16, 0), (16, 16, 1), (17, 40, 2), (27, 18, 1), (23, 23, 2)]
)
def test_dsp_threshold(a, b, slices):
    assert dsp_slices(a, b) == dsp_slices(b, a) == slices


def test_memory_thresholds():
    assert rom(1, 64).lut == 0 and rom(64, 64).bram18 == 0
    assert rom(1024, 128).bram18 == 8
    assert ram(64, 128).bram18 == 0 and ram(512, 8).bram18 == 1 and ram(1024, 36).bram18 == 2


def test_a_report_without_cells_is_an_error():
    with pytest.raises(ToolError, match="ended before"):
        parse_cells("End of script.")


def test_cells_are_counted():
    cells = {"FDRE": 3, "LUT6": 2, "RAM32M16": 1, "RAMB36E2": 2}
    report = "=== top ===\n\n   Number of cells:      8\n" + "".join(f"     {c}   {n}\n" for c, n in cells.items())
    found = count(parse_cells(report)["top"])
    assert (found.lut, found.ff, found.dsp, found.bram18) == (10, 3, 0, 4)
