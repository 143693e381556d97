"""One bar for a job or for a whole sweep: tqdm's on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TextIO

from headrace.optional import MissingPackage, need

_PLAIN_SECONDS = 10.0


@dataclass(frozen=True)
class Status:
    """What a bar shows: ``done`` of ``total`` trials, a word for the state, and a short line."""

    done: int
    total: int
    state: str
    summary: str


class Progress:
    """Shows progress while it is entered as a context manager.

    Args:
        enabled: whether anything is shown.
        file: where to; standard error by default, so that results can be piped.
    """

    def __init__(self, *, enabled: bool = True, file: TextIO | None = None) -> None:
        self._file = file or sys.stderr
        self._enabled = enabled
        self._bar: Any = None
        self._last_line = 0.0
        self._last_shown = (-1, "")

    def __enter__(self) -> Self:
        if self._enabled and (self._file.isatty() or _in_notebook()):
            self._bar = _bar(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, status: Status) -> None:
        """Show a status."""
        if self._bar is not None:
            self._bar.total = status.total
            self._bar.set_description(status.state, refresh=False)
            self._bar.set_postfix_str(status.summary, refresh=False)
            self._bar.update(status.done - self._bar.n)
            self._bar.refresh()
        elif self._enabled and (status.done, status.state) != self._last_shown:
            now = time.monotonic()
            if now - self._last_line >= _PLAIN_SECONDS or status.state != self._last_shown[1]:
                print(f"{status.state:>11}  {status.done}/{status.total} trials  {status.summary}", file=self._file)
                self._last_line, self._last_shown = now, (status.done, status.state)

    def event(self, kind: str, data: Any) -> None:
        """Take notice of one event of a job; subclasses may show it."""


def job_status(job: Mapping[str, Any]) -> Status:
    """Of a job document."""
    done, total = job["progress"]["trials_done"], job["progress"]["trials_total"]
    # After the last trial the service still simulates each Pareto design once more as one whole model.
    state = "signing off" if job["state"] == "running" and done >= total else job["state"]
    parts = [_counts(job["counts"], ("complete", "infeasible", "failed"))]
    parts += [f"front {job['pareto_size']}"] if job["pareto_size"] else []
    accuracy = job["best"].get("accuracy")
    parts += [] if accuracy is None else [f"best accuracy {accuracy['value']:.4f}"]
    return Status(done, total, state, " · ".join(filter(None, parts)))


def sweep_status(sweep: Mapping[str, Any]) -> Status:
    """Of a sweep document: all of its jobs together."""
    progress, counts = sweep["progress"], sweep["counts"]
    open_states = [state for state in ("running", "stopping", "cancelling", "queued", "paused") if counts.get(state)]
    summary = _counts(counts, tuple(counts))
    return Status(
        progress["trials_done"], progress["trials_total"], open_states[0] if open_states else "ended", summary
    )


def _counts(counts: Mapping[str, int], states: tuple[str, ...]) -> str:
    return " · ".join(f"{counts[state]} {state}" for state in states if counts.get(state))


def _in_notebook() -> bool:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and "IPKernelApp" in shell.config


def _bar(file: TextIO) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets it draws text, and says so each time
            bars = need("tqdm.auto", "for progress bars")
    except MissingPackage as missing:
        print(f"no progress bar: {missing}", file=file)
        return None
    return bars.tqdm(total=0, unit="trial", file=file, dynamic_ncols=True)
