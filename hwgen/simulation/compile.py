"""Verilator and the C++ compiler: RTL modules in, one shared object out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.simulation.generated import direct_clock
from hwgen.simulation.toolchain import CXX_FLAGS, Toolchain
from hwgen.tools.process import run_tool

RUNTIME_DIRECTORY = Path(__file__).parent / "runtime"

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
# Modules within an operator become part of its class, whatever their size: see ``hwgen.simulation.generated``.
DIRECT_FLAGS = ("--inline-mult", "0")


@dataclass(frozen=True)
class ModelSource:
    """One module to simulate.

    Attributes:
        top: module name.
        files: its sources.
        include: directory of included files.
        parameters: ``-G`` and ``-D`` flags of Verilator.
        ports: port names that the runtime asks for, clock left out.
        key: hexadecimal content hash; exported symbols end in it, so that several models share one object.
        direct: clock it without Verilator's scheduler. A whole design keeps the scheduler: it is the evidence.
    """

    top: str
    files: tuple[Path, ...]
    include: Path
    parameters: tuple[str, ...]
    ports: tuple[str, ...]
    key: str
    direct: bool


def compile_models(tools: Toolchain, runtime: Path, models: Sequence[ModelSource], target: Path) -> None:
    """Compile models into one shared object; a third of the cost of a single one is the same for any number.

    Args:
        tools: the toolchain.
        runtime: directory made by ``compile_runtime``.
        models: modules, each with another key.
        target: the shared object to write.

    Raises:
        ToolError: a tool refuses our own RTL.
    """
    work = Path(tempfile.mkdtemp(prefix="build-", dir=target.parent))
    try:
        unit = [_verilate(tools, model, work / model.key) for model in models]
        (work / "all.cpp").write_text("\n".join(unit))
        run_tool(
            [tools.cxx, *CXX_FLAGS, "-w", "-shared", "-I.", "-include", runtime / "verilated_all.h",
             *tools.include_flags, "all.cpp", "-o", target, runtime / "libverilated.so", f"-Wl,-rpath,{runtime}"],
            work,
        )  # fmt: skip
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _verilate(tools: Toolchain, model: ModelSource, work: Path) -> str:
    """Generate the C++ of one model and return the text that includes it; set-up code is optimised little."""
    work.mkdir()
    prefix = f"V{model.key}"
    flags = (*VERILATOR_FLAGS, *(DIRECT_FLAGS if model.direct else ()))
    run_tool(
        [tools.verilator, *flags, "--Mdir", work, "--prefix", prefix, "--top-module", model.top,
         f"-I{model.include}", *model.parameters, *model.files],
        work,
        {"VERILATOR_ROOT": str(tools.verilator_root)},
    )  # fmt: skip
    (work / "ports.inc").write_text("".join(f"HEADRACE_PORT({p})\n" for p in ("rst_ni", *model.ports)))
    generated = sorted(path.name for path in work.glob("*.cpp"))
    slow = [name for name in generated if "Slow" in name]
    macros = {
        "VCLASS": prefix,
        "HEADRACE_KEY": model.key,
        "HEADRACE_HEADER": f'"{model.key}/{prefix}.h"',
        "HEADRACE_PORTS": f'"{model.key}/ports.inc"',
        **(direct_clock(prefix, work) if model.direct else {}),
    }
    lines = [f"#define {name} {value}" for name, value in macros.items()]
    lines += [f'#include "{model.key}/{name}"' for name in generated if name not in slow]
    lines += ["#pragma GCC push_options", "#pragma GCC optimize(1)"]
    lines += [f'#include "{model.key}/{name}"' for name in slow]
    lines += ["#pragma GCC pop_options", f'#include "{RUNTIME_DIRECTORY}/wrapper.cpp"']
    lines += [f"#undef {name}" for name in (*macros, "HEADRACE_PORT", "VL_PCH_INCLUDED")]
    return "\n".join(lines) + "\n"


def compile_runtime(tools: Toolchain, target: Path) -> None:
    """Verilator's runtime, compiled once into the directory ``target``: a shared library and a precompiled header."""
    target.mkdir()
    include = tools.verilator_root / "include"
    header = target / "verilated_all.h"
    header.write_text("#include <verilated.h>\n")
    compiler = [tools.cxx, *CXX_FLAGS, *tools.include_flags]
    run_tool([*compiler, "-x", "c++-header", header, "-o", f"{header}.gch"], target)
    visible = [flag for flag in compiler if flag != "-fvisibility=hidden"]
    sources = [include / "verilated.cpp", include / "verilated_threads.cpp"]
    run_tool([*visible, "-shared", *sources, "-o", target / "libverilated.so", "-pthread"], target)
