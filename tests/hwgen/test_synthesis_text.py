"""The text that synthesis reads behaves like the text that was simulated.

Some modules have a part for each (``ifdef SYNTHESIS``): a memory is loaded, stored or read in another style there. The
emitted top level is simulated once more as synthesis sees it: the same words in the same cycles.
"""

from __future__ import annotations

import dataclasses
import tempfile
from itertools import islice
from pathlib import Path

import pytest

from hwgen.hardware.design import Endpoint, run_reference
from hwgen.hardware.emit.text import emit
from hwgen.hardware.library import stream_ports
from hwgen.simulation.build import BuildCache
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.simulate import SimulationOptions, check_of, measurement, run_plan, stream_line, write_beats
from tests.hwgen.conformance import registry
from tests.hwgen.conformance.case import SAMPLES, Case
from tests.hwgen.conformance.runner import QUIET_CYCLES, cycle_complaints, one_operator_design

# The others differ in how constants are loaded only.
TWO_TEXTS = (
    "cast",
    "constant",
    "eltwise",
    "embedding",
    "layer_norm",
    "matmul",
    "matvec",
    "reduce",
    "rms_norm",
    "softmax",
    "table",
    "to_mx",
)


def simulate_as_synthesised(case: Case, cache: BuildCache) -> Measurement:
    """The emitted top level of the case as one model, with ``SYNTHESIS`` defined."""
    design = dataclasses.replace(one_operator_design(case), name="synthesised")
    expected = run_reference(design, {f"to_{port}": words for port, words in case.inputs.items()}, SAMPLES)
    emission = emit(design)
    boundary = design.boundary(design.instances)
    with tempfile.TemporaryDirectory(dir=cache.directory) as scratch:
        work = Path(scratch)
        emission.write(work, cache.rtl_directory)
        for source in (work / "rtl").glob("*.sv"):
            source.write_text(f"`define SYNTHESIS\n{source.read_text()}")
        ports = [port for direction, stream in boundary for port in stream_ports(stream.name, direction)]
        library, _ = cache.design(emission.top, work, ports)
        lines = [f"model {emission.top} {library}"]
        for direction, stream in boundary:
            end = Endpoint(emission.top, stream.name)
            ends = (None, end) if direction == "in" else (end, None)
            beats = write_beats(stream, expected[stream.name], work)
            lines.append(stream_line(stream, *ends, beats, check_of(design, stream)))
        report = run_plan(cache, work, lines, SimulationOptions(quiet_cycles=QUIET_CYCLES))
    return measurement(design, report, expected)


def check(operator: str, count: int, cache: BuildCache) -> None:
    for case in islice(registry.cases(operator, "quick"), count):
        result = simulate_as_synthesised(case, cache)
        assert result.exact, f"{case}: {result.deadlock or result.first_wrong}"
        assert cycle_complaints(case, result) == []


@pytest.mark.parametrize("operator", TWO_TEXTS)
def test_where_the_texts_differ(operator: str, build_cache: BuildCache) -> None:
    check(operator, 3, build_cache)


@pytest.mark.slow
@pytest.mark.parametrize("operator", registry.OPERATORS)
def test_every_operator(operator: str, build_cache: BuildCache) -> None:
    check(operator, 99, build_cache)
