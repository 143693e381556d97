"""Fresh virtual environments of every Python that this machine has, and what pip puts into them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OLDEST = (3, 11)
_MINORS = range(11, 15)
_ASK = "import json, sys; print(json.dumps([list(sys.version_info[:3]), sys.executable]))"


@dataclass(frozen=True)
class Environment:
    """One virtual environment, and the bytes that an installation added to it."""

    folder: Path
    installed_bytes: int

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def variables(self, home: Path) -> dict[str, str]:
        """The whole environment of its programs: a user's without any setting of ours but the home."""
        path = f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "HEADRACE_HOME": str(home / "data")}

    def run(self, home: Path, *command: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a program of it in ``home``, far from the checkout."""
        arguments = [self.program(command[0]), *command[1:]]
        return subprocess.run(
            arguments, cwd=home, env=self.variables(home), capture_output=True, text=True, timeout=seconds, check=False
        )


def interpreters() -> dict[str, str]:
    """Version -> executable of the newest patch of each Python from 3.11 on, and of the system's own."""
    found = dict(filter(None, map(_ask, _candidates())))
    newest = {version[:2]: version for version in sorted(found)}
    system = [version for version, path in found.items() if path.startswith("/usr/bin/")]
    return {".".join(map(str, version)): found[version] for version in sorted({*newest.values(), *system})}


def _candidates() -> Iterator[str]:
    names = [f"python3.{minor}" for minor in _MINORS]
    yield sys.executable
    yield from filter(None, map(shutil.which, names))
    for folder in ("~/.pyenv/versions", "~/.local/share/uv/python"):
        yield from map(str, Path(folder).expanduser().glob("*/bin/python3"))
    yield from (f"/usr/bin/{name}" for name in names)  # last: the system's own wins over an equal one


def _ask(candidate: str) -> tuple[tuple[int, ...], str] | None:
    try:
        done = subprocess.run([candidate, "-c", _ASK], capture_output=True, text=True, timeout=60, check=False)
        version, path = json.loads(done.stdout)
    except (OSError, ValueError):
        return None
    return (tuple(version), path) if tuple(version) >= _OLDEST else None


def create(python: str, folder: Path, *requirements: str) -> Environment:
    """An environment without pip, into which the pip of the tests installs ``requirements``."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    before = _size(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--no-compile", *requirements],
        capture_output=True, text=True, check=False, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return Environment(folder, _size(folder) - before)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
