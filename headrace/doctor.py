"""``headrace doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.markup import escape

from headrace import __version__, embedded, service, tables

_SECONDS = 600.0
# What `workers.doctor` itself needs in order to start, and what only the API needs.
_PACKAGES: Mapping[str, str] = {
    "fastapi": "the HTTP service",
    "uvicorn": "the HTTP service",
    "sqlalchemy": "the database",
    "celery": "the workers",
    "redis": "the broker",
    "optuna": "the search",
    "numpy": "the integer reference",
    "onnx": "model import",
}
_EXTRAS: Mapping[str, tuple[str, str]] = {
    "pandas": ("data frames", "pip install 'headrace[frames]'"),
    "matplotlib": ("plots", "pip install 'headrace[plots]'"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``needed`` findings that are not ``ok`` make the machine unusable."""

    name: str
    ok: bool
    needed: bool
    text: str
    remedy: str = ""


def run_doctor(as_json: bool = False) -> int:
    """Print the report; 0 when Headrace can be used here, 1 when something needed is missing."""
    found = findings()
    missing = [item.name for item in found if item.needed and not item.ok]
    if as_json:
        print(json.dumps([asdict(item) for item in found], indent=2, ensure_ascii=False))
        return 1 if missing else 0
    out = tables.console()
    for item in found:
        mark = "[green]ok  [/]" if item.ok else ("[bold red]MISS[/]" if item.needed else "[yellow]note[/]")
        out.print(f"{mark} {item.name:<18} {escape(item.text)}", soft_wrap=True)
        if not item.ok and item.remedy:
            out.print(f"     {'':<18} → {escape(item.remedy)}", soft_wrap=True)
    out.print()
    if missing:
        out.print(f"[bold red]Not usable yet:[/] {escape(', '.join(missing))}.")
        return 1
    out.print("[bold green]This machine can run Headrace.[/]")
    return 0


def findings() -> list[Finding]:
    """Every check: of the client, then of the service where it is installed."""
    return [_python(), *(_service() if service.code() else [_remote()]), *_extras()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), True, version, "install Python 3.11 or newer")


def _remote() -> Finding:
    """Without a service of its own the client needs one that answers."""
    url = os.environ.get("HEADRACE_URL") or embedded.DEFAULT_URL
    if embedded.answers(url):
        return Finding("service", True, True, f"not installed here; one answers at {url}")
    remedy = f"set HEADRACE_URL to a running one, or have one here: {service.INSTALL}"
    return Finding("service", False, True, f"not installed here, and none answers at {url}", remedy)


def _service() -> list[Finding]:
    missing = {name: use for name, use in _PACKAGES.items() if importlib.util.find_spec(name) is None}
    if missing:
        text = ", ".join(f"{name} ({use})" for name, use in missing.items())
        return [Finding("packages", False, True, f"missing: {text}", f"pip install headrace-service=={__version__}")]
    return [Finding("packages", True, True, f"all {len(_PACKAGES)} importable"), *_workers()]


def _workers() -> list[Finding]:
    """What the workers find when they try their tools."""
    print("headrace: trying what the workers use; an operator is compiled, half a minute", file=sys.stderr)
    arguments, environment = service.command("workers.doctor")
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=_SECONDS, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [_no_workers(str(error))]
    if done.returncode != 0:
        return [_no_workers((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])]
    return [Finding(**check) for check in json.loads(done.stdout)["checks"]]


def _no_workers(reason: str) -> Finding:
    remedy = f"`{sys.executable} -m workers.doctor` shows all of it"
    return Finding("workers", False, True, f"they cannot be started: {reason}", remedy)


def _extras() -> list[Finding]:
    return [
        Finding(name, found, False, use if found else f"not installed: needed for {use}", remedy)
        for name, (use, remedy) in _EXTRAS.items()
        for found in [importlib.util.find_spec(name) is not None]
    ]
