"""Builds the two wheels: ``python -m tests.install.wheels FOLDER``.

From a copy of the sources, so that nothing which an earlier build left behind gets into them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT_PACKAGES = ("headrace",)
SERVICE_PACKAGES = ("api", "db", "explorer", "hwgen", "workers")
_BUILD = "import setuptools.build_meta as backend, sys; print(backend.build_wheel(sys.argv[1]))"


@dataclass(frozen=True)
class Wheels:
    client: Path
    service: Path


def build(scratch: Path) -> Wheels:
    """Both wheels, below ``scratch``; no network is used."""
    sources, out = scratch / "sources", scratch / "dist"
    out.mkdir(parents=True)
    for name in (*CLIENT_PACKAGES, *SERVICE_PACKAGES, "service"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "build"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources / name)
    return Wheels(_wheel(sources, out), _wheel(sources / "service", out))


def files(packages: tuple[str, ...]) -> set[str]:
    """Every file of the packages in the sources, as wheels name them."""
    found = (path for name in packages for path in (ROOT / name).rglob("*"))
    return {str(path.relative_to(ROOT)) for path in found if path.is_file() and "__pycache__" not in path.parts}


def _wheel(project: Path, out: Path) -> Path:
    command = [sys.executable, "-c", _BUILD, str(out)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return out / done.stdout.splitlines()[-1]


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = build(Path(scratch))
        target.mkdir(parents=True, exist_ok=True)
        for wheel in (made.client, made.service):
            print(shutil.copy(wheel, target))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
