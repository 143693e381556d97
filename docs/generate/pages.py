"""The files that follow from the code, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import commands, devices, environment, errors, formats, http, metrics, operators
from docs.generate.figures import front, lanes, partition, path, rungs, stream, timing

ROOT = Path(__file__).parents[2]
MAKERS: Mapping[str, Callable[[], str]] = {
    "docs/reference/commands.md": commands.write,
    "docs/reference/devices.md": devices.write,
    "docs/reference/environment.md": environment.write,
    "docs/reference/errors.md": errors.write,
    "docs/reference/formats.md": formats.write,
    "docs/reference/http.md": http.write,
    "docs/reference/metrics.md": metrics.write,
    "docs/reference/operators.md": operators.write,
    "docs/figures/front.svg": front.draw,
    "docs/figures/lanes.svg": lanes.draw,
    "docs/figures/partition.svg": partition.draw,
    "docs/figures/path.svg": path.draw,
    "docs/figures/rungs.svg": rungs.draw,
    "docs/figures/stream.svg": stream.draw,
    "docs/figures/timing.svg": timing.draw,
}


def files() -> dict[str, str]:
    """The text of every such file, by its path below the repository's root."""
    return {path: make() for path, make in MAKERS.items()}
