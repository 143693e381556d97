"""Handles of work on the service. They hold an id and the last answer; the service holds the truth."""

from __future__ import annotations

import html
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headrace.errors import HeadraceError, job_failed
from headrace.metrics import current_name
from headrace.optional import need
from headrace.progress import Progress
from headrace.transport import Event, Transport

if TYPE_CHECKING:
    import pandas

TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


class Job:
    """One exploration. Attributes read the last known state; ``refresh`` asks again."""

    def __init__(self, transport: Transport, document: Mapping[str, Any]) -> None:
        self._transport = transport
        self._etag: str | None = None
        self.document = dict(document)
        self.id = str(document["id"])

    def __repr__(self) -> str:
        done, total = self.progress
        return f"<Job {self.id} {self._outcome}, {done}/{total} trials>"

    def _repr_html_(self) -> str:
        done, total = self.progress
        rows = "".join(
            f"<tr><td>best {html.escape(metric)}</td><td>{html.escape(str(best['value']))}</td></tr>"
            for metric, best in self.document["best"].items()
        )
        return (
            f"<table><tr><th>job</th><th>{html.escape(self.id)}</th></tr><tr><td>state</td><td>{self._outcome}</td></tr>"
            f"<tr><td>trials</td><td>{done} of {total}</td></tr>{rows}</table>"
        )

    @property
    def state(self) -> str:
        """The last known state."""
        return str(self.document["state"])

    @property
    def _outcome(self) -> str:
        return self.state if self.end_reason is None else f"{self.state} ({self.end_reason})"

    @property
    def terminal(self) -> bool:
        """Whether the job has ended, as far as known."""
        return self.state in TERMINAL

    @property
    def end_reason(self) -> str | None:
        """Why the job ended (``budget_trials``, ``stopped``, …); None while it goes on, as far as known."""
        reason: str | None = self.document["end_reason"]
        return reason

    @property
    def progress(self) -> tuple[int, int]:
        """Trials done and trials in the budget."""
        progress = self.document["progress"]
        return int(progress["trials_done"]), int(progress["trials_total"])

    def refresh(self) -> Self:
        """Ask the service for the current state."""
        headers = {"If-None-Match": self._etag} if self._etag else {}
        answer = self._transport.call("GET", f"/v1/jobs/{self.id}", headers=headers)
        if answer.status_code != 304:
            self.document = answer.json()
            self._etag = answer.headers.get("ETag")
        return self

    def events(self, last_id: int | None = None, *, deadline: float = math.inf) -> Iterator[Event]:
        """Follow the job's events to its end, across lost connections.

        Args:
            last_id: resume after the event of this number.
            deadline: stop at this ``time.monotonic()`` though the job goes on.
        """
        return self._transport.events(f"/v1/jobs/{self.id}/events", last_id, deadline)

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
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        shown = progress if isinstance(progress, Progress) else Progress(enabled=progress)
        last_refresh = 0.0
        with shown:
            shown.update(self.refresh().document)
            events = self.events(int(self.document["seq"]), deadline=deadline)
            for event in events if not self.terminal else ():
                shown.event(event.event, event.data)
                now = time.monotonic()
                # Events come faster than a person reads; the summary is asked for at most four times a second.
                if event.event == "end" or now - last_refresh > 0.25:
                    shown.update(self.refresh().document)
                    last_refresh = now
                if now > deadline:
                    break
            shown.update(self.refresh().document)
        if not self.terminal:
            raise TimeoutError(f"job {self.id} is {self.state} after {timeout} s; it goes on")
        if check and self.state == "failed":
            raise job_failed(self.document)
        return self

    def trials(self, *, state: str | None = None, since_seq: int | None = None) -> Iterator[dict[str, Any]]:
        """Trials in order of their last change; ``since_seq`` gives only those changed after a sequence number."""
        return self._transport.pages(
            f"/v1/jobs/{self.id}/trials", {"state": state, "since_seq": since_seq, "limit": 200}
        )

    def pareto(self) -> list[dict[str, Any]]:
        """The feasible non-dominated complete trials."""
        return list(self._transport.pages(f"/v1/jobs/{self.id}/pareto", {}))

    def best(self, metric: str | None = None) -> dict[str, Any]:
        """The trial that is best in one objective (the first by default).

        Raises:
            HeadraceError: no trial is complete yet, or the metric is not an objective.
        """
        best = self.refresh().document["best"]
        objectives = [o["metric"] for o in self.document["spec"]["objectives"]]
        name = objectives[0] if metric is None else current_name(metric)
        if name not in objectives:
            raise HeadraceError(f"{name} is not an objective of this job; its objectives are {', '.join(objectives)}")
        if name not in best:
            raise HeadraceError(f"job {self.id} has no feasible complete trial yet")
        return dict(self._transport.json("GET", f"/v1/trials/{best[name]['trial_id']}"))

    def trials_dataframe(self, *, state: str | None = None) -> pandas.DataFrame:
        """All trials as a data frame: one row per trial, units in the column names, missing metrics as NaN."""
        need("pandas", "for data frames")
        from headrace.frames import trials_frame

        return trials_frame(self.trials(state=state), self.pareto())

    def plot(self, path: str | Path | None = None, *, x: str | None = None, y: str | None = None) -> Any:
        """Plot the search and its Pareto front with matplotlib.

        Args:
            path: where to save (PNG, SVG or PDF by suffix); not saved by default.
            x: metric of the horizontal axis; an objective by default.
            y: metric of the vertical axis; another objective by default.

        Returns:
            The matplotlib figure.
        """
        need("matplotlib", "for plots")
        from headrace.plot import plot_front

        self.refresh()
        name = str(self._transport.json("GET", f"/v1/models/{self.document['model']}")["name"])
        return plot_front(self.document, name, list(self.trials()), self.pareto(), path, x, y)

    def export(self, trial: str | Mapping[str, Any], path: str | Path) -> Path:
        """Download the bundle of a complete trial (SystemVerilog, memories, vectors, Makefile) as a zip."""
        trial_id = trial if isinstance(trial, str) else str(trial["id"])
        return self._transport.download(f"/v1/trials/{trial_id}/rtl", Path(path))

    def cancel(self) -> Self:
        """End the job now and kill what runs; trials already complete stay."""
        return self._verb("cancel")

    def stop(self) -> Self:
        """End the job after what runs now."""
        return self._verb("stop")

    def pause(self) -> Self:
        """Start no further trials until ``resume``."""
        return self._verb("pause")

    def resume(self) -> Self:
        """Go on after ``pause``."""
        return self._verb("resume")

    def limit(
        self, *, trials: int | None = None, wall_seconds: float | None = None, parallel_trials: int | None = None
    ) -> Self:
        """Change the budgets of a running job."""
        limits = {"trials": trials, "wall_seconds": wall_seconds, "parallel_trials": parallel_trials}
        body = {k: v for k, v in limits.items() if v is not None}
        self.document = self._transport.json("PATCH", f"/v1/jobs/{self.id}", json=body)
        self._etag = None
        return self

    def delete(self) -> None:
        """Delete an ended job with its trials and bundles."""
        self._transport.call("DELETE", f"/v1/jobs/{self.id}")

    def _verb(self, verb: str) -> Self:
        self.document = self._transport.json("POST", f"/v1/jobs/{self.id}/{verb}")
        self._etag = None
        return self


class Sweep:
    """A group of jobs submitted together."""

    def __init__(self, transport: Transport, document: Mapping[str, Any]) -> None:
        self._transport = transport
        self.document = dict(document)
        self.id = str(document["id"])

    def __repr__(self) -> str:
        return f"<Sweep {self.id}: {len(self.document['items'])} items, {len(self.refused)} refused>"

    @property
    def refused(self) -> list[dict[str, Any]]:
        """Items that were not accepted, each with its problem document."""
        return [item for item in self.document["items"] if item.get("problem")]

    def refresh(self) -> Self:
        """Ask the service for the current state."""
        self.document = self._transport.json("GET", f"/v1/sweeps/{self.id}")
        return self

    def jobs(self) -> list[Job]:
        """Handles of the accepted jobs, in the order of the items."""
        ids = [item["job_id"] for item in self.document["items"] if item.get("job_id")]
        return [Job(self._transport, self._transport.json("GET", f"/v1/jobs/{job_id}")) for job_id in ids]

    def wait(self, *, progress: bool = False, check: bool = True) -> Self:
        """Block until every job has ended; then raise for the first that failed, if ``check`` is set."""
        jobs = [job.wait(progress=progress, check=False) for job in self.jobs()]
        self.refresh()
        for job in jobs:
            if check and job.state == "failed":
                raise job_failed(job.document)
        return self

    def cancel(self) -> Self:
        """Cancel every job of the group that has not ended."""
        self.document = self._transport.json("POST", f"/v1/sweeps/{self.id}/cancel")
        return self
