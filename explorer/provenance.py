"""Where a result comes from: our code, the tools and the inputs."""

from __future__ import annotations

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path
from typing import Any, Literal

from explorer.spec import JobSpec
from hwgen.simulation.toolchain import find_toolchain

_ROOT = Path(__file__).resolve().parent.parent
_SOURCES = {".py", ".sv", ".svh", ".cpp", ".hpp", ".json", ".csv", ".vlt"}
# What the sources of each part decide, by the folders and files that hold them.
_PARTS = {
    "all": ("hwgen", "explorer"),
    # the words that an integer model computes, and the figures read from them; RTL is held to them, it defines none
    "words": (
        *("hwgen/numbers", "hwgen/model", "hwgen/lowering", "hwgen/hardware/operators"),
        *("hwgen/hardware/design.py", "hwgen/hardware/operator.py", "hwgen/hardware/streams.py"),
        *("explorer/accuracy.py", "explorer/dataset.py", "explorer/hardware.py", "explorer/inputs.py"),
        *("explorer/outputs.py", "explorer/quality.py"),
    ),
}
_DISTRIBUTIONS = ("numpy", "optuna", "onnx", "torch")


@cache
def sources_digest(part: Literal["all", "words"]) -> str:
    """SHA-256 in hexadecimal over the sources that decide a part of a result; changes whenever that part could."""
    digest = hashlib.sha256()
    for place in _PARTS[part]:
        for path in _files(_ROOT / place):
            digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _files(place: Path) -> list[Path]:
    """The sources at or below a path.

    Raises:
        FileNotFoundError: there are none, so the table of parts is out of date.
    """
    found = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix in _SOURCES and p.is_file())
    if not found:
        raise FileNotFoundError(place)
    return found


@cache
def tool_versions() -> dict[str, str | None]:
    """Tool -> version, None where it is not installed."""
    toolchain = find_toolchain()
    versions: dict[str, str | None] = {"verilator": toolchain.verilator_version, "c++": toolchain.cxx_version}
    for name in _DISTRIBUTIONS:
        versions[name] = _version(name)
    return versions


@cache
def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def provenance(spec: JobSpec) -> dict[str, Any]:
    """The part of a trial's provenance that is the same for all trials of a job."""
    return {
        "code_version": _version("headrace") or "source",
        "code_digest": sources_digest("all")[:16],
        "tools": tool_versions(),
        "seed": spec.search.seed,
        "model": spec.model,
        "dataset": spec.dataset,
    }
