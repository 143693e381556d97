"""Every library module, with the parameters of every quick conformance case: clean under Verilator, legal for Yosys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hwgen.errors import ToolError
from hwgen.hardware.emit.text import Emission, emit
from hwgen.hardware.library import INCLUDE, RTL_DIRECTORY, library_text
from hwgen.simulation.toolchain import find_toolchain
from hwgen.tools.process import run_tool
from tests.hwgen.conformance import registry
from tests.hwgen.conformance.runner import one_operator_design
from tests.hwgen.yosys import yosys


@cache
def emissions(operator: str) -> tuple[Emission, ...]:
    """The emitted top level of each quick case, under a name of its own."""

    def generate() -> Iterator[Emission]:
        for index, case in enumerate(registry.cases(operator, "quick")):
            yield emit(dataclasses.replace(one_operator_design(case), name=f"{operator}_{index}"))

    return tuple(generate())


def test_every_module_of_the_library_has_cases() -> None:
    used = {module for name in registry.OPERATORS for emission in emissions(name) for module in emission.library}
    assert {p.stem for p in RTL_DIRECTORY.glob("dse_*.sv")} - used == set()


@pytest.mark.parametrize("operator", registry.OPERATORS)
def test_lint_is_clean(operator: str, tmp_path: Path) -> None:
    for emission in emissions(operator):
        emission.write(tmp_path)
        lint(emission, tmp_path)


def lint(emission: Emission, directory: Path) -> None:
    """Run Verilator's linter with all warnings as errors; the waivers are those that ship with the library."""
    tools = find_toolchain()
    sources = [f"rtl/{name}.sv" for name in (*emission.library, emission.top)]
    command = [tools.verilator, "--lint-only", "-Wall", "-Irtl", "--top-module", emission.top, "rtl/waivers.vlt"]
    run_tool([*command, *sources], directory, {"VERILATOR_ROOT": str(tools.verilator_root)})


def test_lint_notices_a_truncation(tmp_path: Path) -> None:
    emission = emissions("fifo")[3]
    emission.write(tmp_path)
    faulty = tmp_path / "rtl" / "dse_fifo.sv"
    faulty.write_text(faulty.read_text().replace("CountWidth'(push)", "32'(push)"))
    with pytest.raises(ToolError, match="WIDTH"):
        lint(emission, tmp_path)


# The combinational cone of the outputs ends at flip-flops; an input inside it would be a path through the operator.
FLIP_FLOPS = "$dff,$dffe,$sdff,$sdffe,$sdffce,$adff,$adffe,$aldff"
OUTPUTS_ARE_REGISTERS = [
    "flatten",
    "opt_clean",
    f"select -set cone o:* %ci*:-{FLIP_FLOPS}",
    "select -assert-none @cone i:* %i",
]


def read(emission: Emission) -> list[str]:
    sources = " ".join(f"rtl/{name}.sv" for name in (*emission.library, emission.top))
    return [
        "design -reset",
        f"read_slang -j 1 -DSYNTHESIS -I rtl --top {emission.top} {sources}",
        f"hierarchy -check -top {emission.top}",
        "proc",
        "opt_clean",
    ]


def test_synthesis_accepts_every_module(tmp_path: Path) -> None:
    """No latch, no loop, every output a function of registers only. One process for all: the tool starts slowly."""
    script, tops = [], []
    for operator in registry.OPERATORS:
        for emission in emissions(operator):
            emission.write(tmp_path)
            script += read(emission)
            script += ["select -assert-none t:$dlatch t:$dlatchsr t:$adlatch", "check -assert", *OUTPUTS_ARE_REGISTERS]
            script += ["stat"]
            tops.append(emission.top)
    log = yosys(script, tmp_path)
    # The tool has been seen to stop early with exit status 0: only a printed statistic proves that a module was read.
    assert [top for top in tops if f"=== {top} ===" not in log] == []


def test_a_combinational_ready_is_noticed(tmp_path: Path) -> None:
    emission = emissions("fifo")[3]
    emission.write(tmp_path)
    faulty = tmp_path / "rtl" / "dse_fifo.sv"
    ready = "count_q != CountWidth'(MemoryDepth)"
    faulty.write_text(faulty.read_text().replace(ready, f"{ready} || out_ready_i"))
    with pytest.raises(AssertionError, match="selection is not empty"):
        yosys([*read(emission), *OUTPUTS_ARE_REGISTERS], tmp_path)


def test_the_text_of_a_module_holds_the_headers_that_it_includes() -> None:
    assert "DSE_DECODED_WIDTH" in library_text("dse_matvec")
    assert "function automatic logic [OutWidth-1:0] requantize(" in library_text("dse_cast")
    assert "DSE_DECODED_WIDTH" not in library_text("dse_cast")
    for header in RTL_DIRECTORY.glob("*.svh"):
        assert INCLUDE.findall(header.read_text()) == [], f"{header.name} includes a header that no hash would see"
