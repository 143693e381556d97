"""Where a result comes from: our code, the tools and the inputs."""

from __future__ import annotations

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path
from typing import Any

from explorer.spec import JobSpec
from hwgen.simulation.toolchain import find_toolchain

_ROOT = Path(__file__).resolve().parent.parent
_SOURCES = {".py", ".sv", ".svh", ".cpp", ".hpp", ".json", ".csv", ".vlt"}
_PACKAGES = ("hwgen", "explorer")
_DISTRIBUTIONS = ("numpy", "optuna", "onnx", "torch")


@cache
def code_digest() -> str:
    """SHA-256 over the sources that decide a result, in hexadecimal; changes whenever a result could."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*")):
            if path.suffix in _SOURCES and path.is_file():
                digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


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
        "code_digest": code_digest()[:16],
        "tools": tool_versions(),
        "seed": spec.search.seed,
        "model": spec.model,
        "dataset": spec.dataset,
    }
