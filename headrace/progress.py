"""A live progress bar on a terminal or in a notebook, and plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Self

from rich import progress as bars
from rich.console import Console

_PLAIN_SECONDS = 10.0


class Progress:
    """Shows a job's progress while it is entered as a context manager."""

    def __init__(self, *, enabled: bool = True, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = enabled and (self._console.is_terminal or self._console.is_jupyter)
        self._plain = enabled and not self._live
        self._bar: bars.Progress | None = None
        self._task: bars.TaskID | None = None
        self._last_line = 0.0
        self._last_shown = (-1, "")

    def __enter__(self) -> Self:
        if self._live:
            self._bar = bars.Progress(
                bars.SpinnerColumn(),
                bars.TextColumn("[bold]{task.description}"),
                bars.BarColumn(bar_width=None),
                bars.MofNCompleteColumn(),
                bars.TextColumn("{task.fields[summary]}"),
                bars.TimeElapsedColumn(),
                console=self._console,
                expand=True,
            )
            self._task = self._bar.add_task("queued", total=None, summary="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, job: Mapping[str, Any]) -> None:
        """Show a job document."""
        done, total = job["progress"]["trials_done"], job["progress"]["trials_total"]
        # After the last trial the service still simulates each Pareto design once more as one whole model.
        state = "signing off" if job["state"] == "running" and done >= total else job["state"]
        summary = summary_line(job)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=state, summary=summary)
        elif self._plain and (done, state) != self._last_shown:
            now = time.monotonic()
            if now - self._last_line >= _PLAIN_SECONDS or state != self._last_shown[1]:
                self._console.print(f"{state:>11}  {done}/{total} trials  {summary}", highlight=False)
                self._last_line, self._last_shown = now, (done, state)

    def event(self, kind: str, data: Any) -> None:
        """Take notice of one event; subclasses may show it."""


def summary_line(job: Mapping[str, Any]) -> str:
    """Counts and best accuracy on one short line."""
    counts = job["counts"]
    parts = [f"{counts.get(state, 0)} {state}" for state in ("complete", "infeasible", "failed") if counts.get(state)]
    if job.get("pareto_size"):
        parts.append(f"front {job['pareto_size']}")
    accuracy = job["best"].get("accuracy")
    if accuracy is not None:
        parts.append(f"best accuracy {accuracy['value']:.4f}")
    return " · ".join(parts)
