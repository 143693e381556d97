"""A job of the asynchronous client."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headrace import calls
from headrace.aio.trial import AsyncTrial
from headrace.http import requests
from headrace.http.delivery import all_pages, download, emit_pages
from headrace.http.link import AsyncLink
from headrace.http.sse import Event
from headrace.progress import Progress
from headrace.records import JobRecord

if TYPE_CHECKING:
    import optuna
    import pandas

    from headrace.plot import Plot


class AsyncJob(JobRecord):
    """See ``Job``."""

    def __init__(self, link: AsyncLink, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    async def refresh(self) -> Self:
        """See ``Job.refresh``."""
        await self._link.run(calls.refresh(self))
        return self

    def events(self, last_id: int | None = None, *, deadline: float = math.inf) -> AsyncIterator[Event]:
        """See ``Job.events``."""
        return self._link.iterate(calls.emit_events(self.id, last_id, deadline))

    async def wait(
        self, *, progress: bool | Progress = False, timeout: float | None = None, check: bool = True
    ) -> Self:
        """See ``Job.wait``."""
        shown = progress if isinstance(progress, Progress) else Progress(enabled=progress)
        await self._link.run(calls.wait_job(self, shown, timeout, check))
        return self

    def trials(self, *, state: str | None = None, since_seq: int | None = None) -> AsyncIterator[AsyncTrial]:
        """See ``Job.trials``."""
        request = requests.trials_of(self.id, state, since_seq)
        return self._link.iterate(emit_pages(request, lambda document: AsyncTrial(self._link, document)))

    async def pareto(self) -> list[AsyncTrial]:
        """See ``Job.pareto``."""
        documents = await self._link.run(all_pages(requests.front_of(self.id)))
        return [AsyncTrial(self._link, document) for document in documents]

    async def points(self, *, since_seq: int | None = None) -> list[dict[str, Any]]:
        """See ``Job.points``."""
        return await self._link.run(requests.points_of(self.id, since_seq))

    async def hypervolume(self) -> list[dict[str, Any]]:
        """See ``Job.hypervolume``."""
        return await self._link.run(all_pages(requests.get(requests.path("jobs", self.id, "hypervolume"))))

    async def importance(self) -> dict[str, Any]:
        """See ``Job.importance``."""
        return await self._link.run(requests.read(requests.path("jobs", self.id, "importance")))

    async def best(self, metric: str | None = None) -> AsyncTrial:
        """See ``Job.best``."""
        return AsyncTrial(self._link, await self._link.run(calls.best(self, metric)))

    async def trials_dataframe(self, *, state: str | None = None) -> pandas.DataFrame:
        """See ``Job.trials_dataframe``."""
        from headrace.frames import trials_frame

        return trials_frame(*await self._link.run(calls.trials_and_front(self, state)))

    async def to_optuna(self) -> optuna.Study:
        """See ``Job.to_optuna``."""
        from headrace.study import study_of

        trials, _ = await self._link.run(calls.trials_and_front(self, None))
        return study_of(self.document, trials)

    async def plot(self, path: str | Path | None = None, *, x: str | None = None, y: str | None = None) -> Plot:
        """See ``Job.plot``."""
        from headrace.plot import plot_front

        name, trials, front = await self._link.run(calls.picture(self))
        plot = plot_front(self.document, name, trials, front, x, y)
        if path is not None:
            plot.save(path)
        return plot

    async def export(self, trial: str | Mapping[str, Any], path: str | Path) -> Path:
        """See ``Job.export``."""
        trial_id = trial if isinstance(trial, str) else str(trial["id"])
        return await self._link.run(download(requests.path("trials", trial_id, "rtl"), Path(path)))

    async def write_trials(self, path: str | Path) -> Path:
        """See ``Job.write_trials``."""
        return await self._link.run(calls.write_trials(self.id, Path(path)))

    async def cancel(self) -> Self:
        """See ``Job.cancel``."""
        return await self._steer("cancel")

    async def stop(self) -> Self:
        """See ``Job.stop``."""
        return await self._steer("stop")

    async def pause(self) -> Self:
        """See ``Job.pause``."""
        return await self._steer("pause")

    async def resume(self) -> Self:
        """See ``Job.resume``."""
        return await self._steer("resume")

    async def limit(
        self, *, trials: int | None = None, wall_seconds: float | None = None, parallel_trials: int | None = None
    ) -> Self:
        """See ``Job.limit``."""
        limits = {"trials": trials, "wall_seconds": wall_seconds, "parallel_trials": parallel_trials}
        await self._link.run(calls.limit(self, limits))
        return self

    async def delete(self) -> None:
        """See ``Job.delete``."""
        await self._link.run(requests.delete("jobs", self.id))

    async def _steer(self, verb: str) -> Self:
        await self._link.run(calls.steer(self, verb))
        return self
