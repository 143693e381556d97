"""The build cache: one compiled shared object per distinct operator and parameters, made once per machine.

The key of an artefact is the hash of the RTL sources, the parameters, the runtime and the tool versions. Artefacts
appear by an atomic rename under a file lock, so concurrent workers never build the same thing twice and a killed build
leaves nothing half-written.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from hwgen.operators.base import Operator
from hwgen.toolchain import CXX_FLAGS, Toolchain, find_toolchain, run_tool

RTL_DIRECTORY = Path(__file__).parent / "rtl_lib"
RUNTIME_DIRECTORY = Path(__file__).parent / "runtime"

# The simulation program; a bundle carries it too, with `wrapper.cpp`.
HARNESS_SOURCES = ("simulate.cpp", "stream.hpp", "vectors.hpp", "plan.hpp", "model.hpp")

VERILATOR_FLAGS = (
    "--cc",
    "--unroll-count",
    "1",  # loops stay loops in C++: the build does not grow with the lanes, and the compiler vectorises
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "-O3",
    "--output-split",
    "0",
    "-Wall",
    "-Wno-fatal",
)


@cache
def library_text(module: str) -> str:
    """Source of one library module with its includes, for hashing."""
    includes = sorted(RTL_DIRECTORY.glob("*.svh"))
    return (RTL_DIRECTORY / f"{module}.sv").read_text() + "".join(p.read_text() for p in includes)


class BuildCache:
    """Compiled simulation models under one directory, shared by all processes of a machine.

    Args:
        directory: where artefacts live; created if needed.
        rtl_directory: the RTL library; tests point it at a library with a planted fault.
    """

    def __init__(self, directory: Path, rtl_directory: Path = RTL_DIRECTORY) -> None:
        self.toolchain: Toolchain = find_toolchain()
        self.rtl_directory = rtl_directory
        self.directory = directory / self.toolchain.digest
        self.directory.mkdir(parents=True, exist_ok=True)

    def operator(self, operator: Operator) -> tuple[Path, bool]:
        """The shared object of an operator and whether it was there already.

        Raises:
            ToolError: Verilator or the compiler refuse our own RTL.
        """
        parameters = dict(operator.rtl_parameters())
        sources = [operator.module, *operator.uses]
        key = self._key(sources, parameters)
        ports = [port for prefix in operator.inputs for port in stream_ports(prefix, "in")]
        ports += [port for prefix in operator.outputs for port in stream_ports(prefix, "out")]

        def build(target: Path) -> None:
            flags = [f"-G{name}={parameter_literal(value)}" for name, value in parameters.items()]
            files = [self.rtl_directory / f"{name}.sv" for name in sources]
            self._verilate(target, operator.module, files, self.rtl_directory, flags, ports)

        return self.artefact(f"{operator.module}-{key}.so", build)

    def design(self, top: str, directory: Path, ports: Sequence[str]) -> tuple[Path, bool]:
        """The shared object of a whole design, built from its emitted text.

        Args:
            top: name of the top module.
            directory: holds ``rtl/`` with every module and include file of the design.
            ports: names of the top module's ports, clock and reset left out.
        """
        files = sorted((directory / "rtl").resolve().iterdir())
        settings = json.dumps([top, *ports, VERILATOR_FLAGS])
        content = [settings.encode(), (RUNTIME_DIRECTORY / "wrapper.cpp").read_bytes()]
        content += [part for file in files for part in (file.name.encode(), file.read_bytes())]
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in content)).hexdigest()

        def build(target: Path) -> None:
            sources = [file for file in files if file.suffix == ".sv"]
            self._verilate(target, top, sources, directory.resolve() / "rtl", [], ports)

        return self.artefact(f"{top[:80]}-{digest[:24]}.so", build)

    def simulator(self) -> Path:
        """The composed-simulation program."""
        sources = [RUNTIME_DIRECTORY / name for name in HARNESS_SOURCES]
        digest = hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest()[:16]

        def build(target: Path) -> None:
            run_tool([self.toolchain.cxx, *CXX_FLAGS, sources[0], "-o", target, "-ldl"], RUNTIME_DIRECTORY)

        return self.artefact(f"simulate-{digest}", build)[0]

    def artefact(self, name: str, build: Callable[[Path], None]) -> tuple[Path, bool]:
        """The file ``name``, made by ``build(path)`` if it is missing; True when it was there."""
        path = self.directory / name
        if path.exists():
            return path, True
        with self._lock(name):
            if path.exists():
                return path, True
            scratch = path.with_name(f".{name}.{os.getpid()}")
            build(scratch)
            scratch.rename(path)
        return path, False

    def _key(self, sources: Sequence[str], parameters: Mapping[str, int]) -> str:
        text = json.dumps([sources, sorted(parameters.items()), VERILATOR_FLAGS])
        content = [text.encode(), (RUNTIME_DIRECTORY / "wrapper.cpp").read_bytes()]
        if self.rtl_directory == RTL_DIRECTORY:
            content += [library_text(source).encode() for source in sources]
        else:
            content += [p.read_bytes() for p in sorted(self.rtl_directory.iterdir())]
        return hashlib.sha256(b"\0".join(content)).hexdigest()[:24]

    def _verilate(
        self, target: Path, top: str, files: Sequence[Path], include: Path, flags: Sequence[str], ports: Sequence[str]
    ) -> None:
        tools = self.toolchain
        runtime = self._runtime()
        work = Path(tempfile.mkdtemp(prefix="build-", dir=self.directory))
        try:
            run_tool(
                [tools.verilator, *VERILATOR_FLAGS, "--Mdir", work, "--prefix", "Vmodel", "--top-module", top,
                 f"-I{include}", *flags, *files],
                work,
                {"VERILATOR_ROOT": str(tools.verilator_root)},
            )  # fmt: skip
            (work / "ports.inc").write_text("".join(f"HEADRACE_PORT({p})\n" for p in ("rst_ni", *ports)))
            (work / "all.cpp").write_text(_compilation_unit(sorted(p.name for p in work.glob("Vmodel*.cpp"))))
            run_tool(
                [tools.cxx, *CXX_FLAGS, "-shared", "-include", runtime / "verilated_all.h", "-I.", *tools.include_flags,
                 "-DVCLASS=Vmodel", '-DHEADRACE_HEADER="Vmodel.h"', "all.cpp", "-o", target,
                 runtime / "libverilated.so", f"-Wl,-rpath,{runtime}"],
                work,
            )  # fmt: skip
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _runtime(self) -> Path:
        """Verilator's runtime, compiled once: a shared library and a precompiled header."""
        tools = self.toolchain

        def build(target: Path) -> None:
            target.mkdir()
            include = tools.verilator_root / "include"
            header = target / "verilated_all.h"
            header.write_text("#include <verilated.h>\n")
            run_tool([tools.cxx, *CXX_FLAGS, *tools.include_flags, "-x", "c++-header", header, "-o", f"{header}.gch"], target)
            flags = [f for f in CXX_FLAGS if f != "-fvisibility=hidden"]
            sources = [include / "verilated.cpp", include / "verilated_threads.cpp"]
            run_tool(
                [tools.cxx, *flags, "-shared", *tools.include_flags, *sources, "-o", target / "libverilated.so", "-pthread"],
                target,
            )

        return self.artefact("runtime", build)[0]

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with (self.directory / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _compilation_unit(generated: Sequence[str]) -> str:
    """One C++ unit of all generated files; code that runs once, at construction, is not optimised."""
    slow = [name for name in generated if "Slow" in name]
    lines = [f'#include "{name}"' for name in generated if name not in slow]
    lines += ["#pragma GCC optimize(0)", *(f'#include "{name}"' for name in slow)]
    lines.append(f'#include "{RUNTIME_DIRECTORY}/wrapper.cpp"')
    return "\n".join(lines) + "\n"


def stream_ports(prefix: str, direction: str) -> tuple[str, ...]:
    """Port names of a stream seen from the module: ``direction`` is ``in`` or ``out``."""
    forward, backward = ("i", "o") if direction == "in" else ("o", "i")
    return (f"{prefix}_valid_{forward}", f"{prefix}_ready_{backward}", f"{prefix}_payload_{forward}", f"{prefix}_last_{forward}")


def parameter_literal(value: int) -> str:
    """A parameter value as SystemVerilog text; wide and negative values need a sized literal."""
    return str(value) if -(1 << 31) <= value < 1 << 31 else f"{'-' if value < 0 else ''}64'sd{abs(value)}"
