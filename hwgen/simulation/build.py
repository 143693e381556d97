"""The build cache: one compiled shared object per distinct operator and parameters, made once per machine.

The key of an artefact is the hash of the RTL sources, the parameters, the runtime and the tool versions. Artefacts
appear by an atomic rename under a file lock, so concurrent workers never build the same thing twice and a killed build
leaves nothing half-written. ``hwgen.tools.eviction`` deletes what was used longest ago.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hwgen.hardware.library import RTL_DIRECTORY, library_text, parameter_literal, stream_ports
from hwgen.hardware.operator import Operator
from hwgen.simulation.compile import (
    DIRECT_FLAGS,
    RUNTIME_DIRECTORY,
    VERILATOR_FLAGS,
    ModelSource,
    compile_models,
    compile_runtime,
)
from hwgen.simulation.toolchain import CXX_FLAGS, Toolchain, find_toolchain
from hwgen.tools.eviction import mark_used
from hwgen.tools.process import run_tool

# The simulation program; a bundle carries it too, with `wrapper.cpp`.
HARNESS_SOURCES = (
    "simulate.cpp",
    "simulation.hpp",
    "report.hpp",
    "stream.hpp",
    "instance.hpp",
    "activity.hpp",
    "vectors.hpp",
    "plan.hpp",
    "model.hpp",
)

MODELS_PER_OBJECT = 8  # compiled at once: enough to share the fixed cost, few enough to keep memory and waits small


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
        """The shared object of an operator and whether it was there already; see ``operators``."""
        return self.operators([operator])[0]

    def operators(self, operators: Sequence[Operator]) -> list[tuple[Path, bool]]:
        """The shared object of each operator and whether it was there already; missing ones are compiled together.

        Raises:
            ToolError: Verilator or the compiler refuse our own RTL.
        """
        sources = {self._operator_path(source): source for source in map(self._operator_source, operators)}
        missing = sorted(path for path in sources if not mark_used(path))
        for start in range(0, len(missing), MODELS_PER_OBJECT):
            self._compile({path: sources[path] for path in missing[start : start + MODELS_PER_OBJECT]})
        paths = [self._operator_path(self._operator_source(operator)) for operator in operators]
        return [(path, path not in missing) for path in paths]

    def _operator_path(self, source: ModelSource) -> Path:
        return self.directory / f"{source.top}-{source.key}.so"

    def _operator_source(self, operator: Operator) -> ModelSource:
        parameters = operator.rtl_parameters()
        modules = [operator.module, *operator.uses]
        ports = [port for prefix in operator.inputs for port in stream_ports(prefix, "in")]
        ports += [port for prefix in operator.outputs for port in stream_ports(prefix, "out")]
        return ModelSource(
            operator.module,
            tuple(self.rtl_directory / f"{name}.sv" for name in modules),
            self.rtl_directory,
            tuple(f"-G{name}={parameter_literal(value)}" for name, value in parameters.items()),
            tuple(ports),
            self._key(modules, parameters),
            direct=True,
        )

    def _compile(self, wanted: Mapping[Path, ModelSource]) -> None:
        """Compile what is still missing of ``wanted`` into one object that each path becomes a link to."""
        runtime = self.artefact("runtime", lambda target: compile_runtime(self.toolchain, target))[0]
        with ExitStack() as locks:
            for path in sorted(wanted):  # one order for all processes, so that no two wait for each other
                locks.enter_context(self._lock(path.name))
            missing = {path: source for path, source in wanted.items() if not path.exists()}
            if not missing:
                return
            scratch = self._scratch(next(iter(missing)).name)
            compile_models(self.toolchain, runtime, list(missing.values()), scratch)
            for path in missing:
                os.link(scratch, path)
            scratch.unlink()

    def design(self, top: str, directory: Path, ports: Sequence[str], defines: Sequence[str] = ()) -> tuple[Path, bool]:
        """The shared object of a whole design, built from its emitted text.

        Args:
            top: name of the top module.
            directory: holds ``rtl/`` with every module and include file of the design.
            ports: names of the top module's ports, clock and reset left out.
            defines: text macros, ``SYNTHESIS`` for the view of the synthesis tools.
        """
        files = sorted((directory / "rtl").resolve().iterdir())
        settings = json.dumps([top, *ports, VERILATOR_FLAGS, *defines])
        content = [settings.encode(), (RUNTIME_DIRECTORY / "wrapper.cpp").read_bytes()]
        content += [part for file in files for part in (file.name.encode(), file.read_bytes())]
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in content)).hexdigest()

        sources = tuple(file for file in files if file.suffix == ".sv")
        flags = tuple(f"-D{name}" for name in defines)
        model = ModelSource(top, sources, directory.resolve() / "rtl", flags, tuple(ports), digest[:24], direct=False)
        path = self.directory / f"{top[:80]}-{model.key}.so"
        known = mark_used(path)
        if not known:
            self._compile({path: model})
        return path, known

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
            scratch = self._scratch(name)
            build(scratch)
            scratch.rename(path)
        return path, False

    def _scratch(self, name: str) -> Path:
        """Where ``name`` is built before it appears under its name; only for the holder of its lock.

        A process id would not tell builders apart, each may be number 2 of its own sandbox; and what a killed builder
        left here is in nobody's way.
        """
        scratch = self.directory / f".{name}.partial"
        if scratch.is_dir():
            shutil.rmtree(scratch)
        scratch.unlink(missing_ok=True)
        return scratch

    def _key(self, sources: Sequence[str], parameters: Mapping[str, int]) -> str:
        text = json.dumps([sources, sorted(parameters.items()), VERILATOR_FLAGS, DIRECT_FLAGS])
        content = [text.encode(), (RUNTIME_DIRECTORY / "wrapper.cpp").read_bytes()]
        if self.rtl_directory == RTL_DIRECTORY:
            content += [library_text(source).encode() for source in sources]
        else:
            content += [p.read_bytes() for p in sorted(self.rtl_directory.iterdir())]
        return hashlib.sha256(b"\0".join(content)).hexdigest()[:24]

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with (self.directory / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
