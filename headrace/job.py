"""A job of the blocking client. It holds an id and the last answer; the service holds the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headrace import calls
from headrace.http import requests
from headrace.http.delivery import all_pages, download, emit_pages
from headrace.http.link import Link
from headrace.http.sse import Event
from headrace.progress import Progress
from headrace.records import JobRecord
from headrace.trial import Trial

if TYPE_CHECKING:
    import optuna
    import pandas

    from headrace.plot import Plot


class Job(JobRecord):
    """One exploration. Attributes read the last known state; ``refresh`` asks again."""

    def __init__(self, link: Link, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    def refresh(self) -> Self:
        """Ask the service for the current state."""
        self._link.run(calls.refresh(self))
        return self

    def events(self, last_id: int | None = None, *, deadline: float = math.inf) -> Iterator[Event]:
        """Follow the job's events to its end, across lost connections.

        Args:
            last_id: resume after the event of this number.
            deadline: stop at this ``time.monotonic()`` though the job goes on.
        """
        return self._link.iterate(calls.emit_events(self.id, last_id, deadline))

    def wait(self, *, progress: bool | Progress = False, timeout: float | None = None, check: bool = True) -> Self:
        """Block until the job has ended. Interrupting stops the waiting, not the job.

        Args:
            progress: show a live progress bar, or an object that does.
            timeout: seconds to wait at most.
            check: raise when the job failed.

        Raises:
            NoFeasibleDesign: no candidate met every constraint, and ``check`` is set.
            JobFailed: the job ended in ``failed`` for another reason, and ``check`` is set.
            TimeoutError: the time is up; the job goes on.
        """
        shown = progress if isinstance(progress, Progress) else Progress(enabled=progress)
        self._link.run(calls.wait_job(self, shown, timeout, check))
        return self

    def trials(self, *, state: str | None = None, since_seq: int | None = None) -> Iterator[Trial]:
        """Trials in order of their last change; ``since_seq`` gives only those changed after a sequence number."""
        request = requests.trials_of(self.id, state, since_seq)
        return self._link.iterate(emit_pages(request, lambda document: Trial(self._link, document)))

    def pareto(self) -> list[Trial]:
        """The feasible non-dominated complete trials."""
        return [Trial(self._link, document) for document in self._link.run(all_pages(requests.front_of(self.id)))]

    def points(self, *, since_seq: int | None = None) -> list[dict[str, Any]]:
        """The trials without what only one trial needs (stages, provenance, words): ten thousand in a second.

        Args:
            since_seq: only those changed after this sequence number.
        """
        return self._link.run(requests.points_of(self.id, since_seq))

    def hypervolume(self) -> list[dict[str, Any]]:
        """Every step of the hypervolume: ``trials`` that had ended, ``seconds`` since the start, ``hypervolume``."""
        return self._link.run(all_pages(requests.get(requests.path("jobs", self.id, "hypervolume"))))

    def importance(self) -> dict[str, Any]:
        """How much each decision decides about each objective.

        Returns:
            ``importance``: objective -> decision -> share; the number of ``trials`` and the event (``seq``) it is of.
        """
        return self._link.run(requests.read(requests.path("jobs", self.id, "importance")))

    def best(self, metric: str | None = None) -> Trial:
        """The trial that is best in one objective (the first by default).

        Raises:
            HeadraceError: no trial is complete yet, or the metric is not an objective.
        """
        return Trial(self._link, self._link.run(calls.best(self, metric)))

    def trials_dataframe(self, *, state: str | None = None) -> pandas.DataFrame:
        """All trials as a data frame: one row per trial, missing metrics as NaN, units in ``attrs["units"]``."""
        from headrace.frames import trials_frame

        return trials_frame(*self._link.run(calls.trials_and_front(self, state)))

    def to_optuna(self) -> optuna.Study:
        """The same trials, values and constraints as an Optuna study in memory; see ``headrace.study``."""
        from headrace.study import study_of

        trials, _ = self._link.run(calls.trials_and_front(self, None))
        return study_of(self.document, trials)

    def plot(self, path: str | Path | None = None, *, x: str | None = None, y: str | None = None) -> Plot:
        """Plot the search and its Pareto front.

        Args:
            path: where to save (PNG, SVG or PDF by suffix); not saved by default.
            x: metric of the horizontal axis; an objective by default.
            y: metric of the vertical axis; another objective by default.

        Returns:
            A picture that a notebook shows by itself; ``figure`` is matplotlib's.
        """
        from headrace.plot import plot_front

        name, trials, front = self._link.run(calls.picture(self))
        plot = plot_front(self.document, name, trials, front, x, y)
        if path is not None:
            plot.save(path)
        return plot

    def export(self, trial: str | Mapping[str, Any], path: str | Path) -> Path:
        """Download the bundle of a complete trial (SystemVerilog, memories, vectors, Makefile) as a zip."""
        trial_id = trial if isinstance(trial, str) else str(trial["id"])
        return self._link.run(download(requests.path("trials", trial_id, "rtl"), Path(path)))

    def write_trials(self, path: str | Path) -> Path:
        """Download all trials as a file that the service writes, streamed.

        Args:
            path: its suffix says what it is: ``.csv``, ``.json`` or ``.parquet``.

        Raises:
            HeadraceError: it has another suffix.
            ServerError: the service is installed without what writes Parquet.
        """
        return self._link.run(calls.write_trials(self.id, Path(path)))

    def cancel(self) -> Self:
        """End the job now and kill what runs; trials already complete stay."""
        return self._steer("cancel")

    def stop(self) -> Self:
        """End the job after what runs now."""
        return self._steer("stop")

    def pause(self) -> Self:
        """Start no further trials until ``resume``."""
        return self._steer("pause")

    def resume(self) -> Self:
        """Go on after ``pause``."""
        return self._steer("resume")

    def limit(
        self, *, trials: int | None = None, wall_seconds: float | None = None, parallel_trials: int | None = None
    ) -> Self:
        """Change the budgets of a running job."""
        limits = {"trials": trials, "wall_seconds": wall_seconds, "parallel_trials": parallel_trials}
        self._link.run(calls.limit(self, limits))
        return self

    def delete(self) -> None:
        """Delete an ended job with its trials and bundles."""
        self._link.run(requests.delete("jobs", self.id))

    def _steer(self, verb: str) -> Self:
        self._link.run(calls.steer(self, verb))
        return self
