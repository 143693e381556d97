"""A sweep of the blocking client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headrace import calls
from headrace.http.link import Link
from headrace.job import Job
from headrace.progress import Progress
from headrace.records import SweepRecord

if TYPE_CHECKING:
    import pandas

    from headrace.plot import Plot


class Sweep(SweepRecord):
    """A group of jobs submitted together. Attributes read the last known state; ``refresh`` asks again."""

    def __init__(self, link: Link, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    def refresh(self) -> Self:
        """Ask the service for the current state."""
        self._link.run(calls.refresh_sweep(self))
        return self

    def jobs(self) -> list[Job]:
        """Handles of the accepted jobs that still exist, in the order of the items."""
        return [Job(self._link, document) for document in self._link.run(calls.sweep_jobs(self))]

    def wait(self, *, progress: bool | Progress = False, timeout: float | None = None, check: bool = True) -> Self:
        """Block until every job has ended; then raise for the first that failed, if ``check`` is set.

        Args:
            progress: show one live bar for all jobs, or an object that does.
            timeout: seconds to wait at most.
            check: raise when a job failed.

        Raises:
            NoFeasibleDesign, JobFailed: as ``Job.wait``.
            TimeoutError: the time is up; the jobs go on.
        """
        shown = progress if isinstance(progress, Progress) else Progress(enabled=progress)
        self._link.run(calls.wait_sweep(self, shown, timeout, check))
        return self

    def dataframe(self) -> pandas.DataFrame:
        """Every design on the front of a job, one row each, with the labels of its job and units in ``attrs``."""
        from headrace.frames import sweep_frame

        return sweep_frame(self._link.run(calls.fronts(self)))

    def plot(self, path: str | Path | None = None, *, x: str | None = None, y: str | None = None) -> Plot:
        """Plot the fronts of all jobs in one picture; arguments as ``Job.plot``."""
        from headrace.plot import plot_sweep

        plot = plot_sweep(self._link.run(calls.fronts(self)), x, y)
        if path is not None:
            plot.save(path)
        return plot

    def cancel(self) -> Self:
        """Cancel every job of the group that has not ended."""
        self._link.run(calls.cancel_sweep(self))
        return self
