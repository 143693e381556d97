"""Run a command so that nothing of it outlives its starter: ``python -I -S leash.py [options] -- command …``.

Run by path, on the standard library alone: it must start in milliseconds and inside a sandbox.

* ``--as/--fsize/--nofile/--nproc/--cpu/--core N`` set resource limits before the command starts;
* ``--exec`` replaces this process by the command (inside a PID namespace, which does the rest);
* ``--parent PID`` names the starter, ``--grace SECONDS`` is the time between TERM and KILL (2);
* without ``--exec``, this process stays as the reaper of every descendant: double forks and new sessions end up under
  it, and it kills them all when the command ends, when it is told to stop, or when its starter dies.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIMITS = {
    "--as": resource.RLIMIT_AS,
    "--fsize": resource.RLIMIT_FSIZE,
    "--nofile": resource.RLIMIT_NOFILE,
    "--nproc": resource.RLIMIT_NPROC,
    "--cpu": resource.RLIMIT_CPU,
    "--core": resource.RLIMIT_CORE,
}


def main(arguments: list[str]) -> int:
    """Parse, limit, then exec or keep; returns the command's exit status (128 + signal when killed)."""
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    replace = "--exec" in options
    given = dict(itertools.pairwise(options))
    parent = int(given["--parent"]) if "--parent" in given else None
    limits = [(_LIMITS[name], int(value)) for name, value in itertools.pairwise(options) if name in _LIMITS]
    if replace:
        _set_limits(limits)
        os.execvp(command[0], command)
    return _keep(command, limits, parent, float(given.get("--grace", "2")))


def _set_limits(limits: list[tuple[int, int]]) -> None:
    for kind, value in limits:
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _keep(command: list[str], limits: list[tuple[int, int]], parent: int | None, grace_seconds: float) -> int:
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    watched = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
    for number in watched:
        signal.signal(number, lambda *_: None)  # never called: blocked below; only that none of them is ignored
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent is not None and os.getppid() != parent:
        return 128 + signal.SIGTERM  # the starter died before the line above

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _set_limits(limits)

    child = subprocess.Popen(command, preexec_fn=prepare, start_new_session=True)
    status: int | None = None
    while status is None:
        received = signal.sigwaitinfo(watched)
        if received.si_signo != signal.SIGCHLD:
            _signal_group(child.pid, signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
            while child.poll() is None and time.monotonic() < deadline:
                signal.sigtimedwait({signal.SIGCHLD}, 0.1)
                _reap_adopted(child.pid)
            status = child.returncode if child.returncode is not None else -received.si_signo
        else:
            status = child.poll()
            _reap_adopted(child.pid)
    _kill_descendants()
    return status if status >= 0 else 128 - status


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _reap_adopted(own: int) -> None:
    """Collect adopted processes that ended; leave the command's own status to ``Popen``."""
    for pid in _children():
        if pid != own:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def _children() -> list[int]:
    mine = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(pid) for pid in mine.read_text().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return [pid for pid in _all_pids() if _parent_of(pid) == os.getpid()]


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _kill_descendants() -> None:
    """Kill children until there are none: each death hands its own children to this process."""
    while children := _children():
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
