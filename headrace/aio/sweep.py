"""A sweep of the asynchronous client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headrace import calls
from headrace.aio.job import AsyncJob
from headrace.http.link import AsyncLink
from headrace.progress import Progress
from headrace.records import SweepRecord

if TYPE_CHECKING:
    import pandas

    from headrace.plot import Plot


class AsyncSweep(SweepRecord):
    """See ``Sweep``."""

    def __init__(self, link: AsyncLink, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    async def refresh(self) -> Self:
        """See ``Sweep.refresh``."""
        await self._link.run(calls.refresh_sweep(self))
        return self

    async def jobs(self) -> list[AsyncJob]:
        """See ``Sweep.jobs``."""
        return [AsyncJob(self._link, document) for document in await self._link.run(calls.sweep_jobs(self))]

    async def wait(
        self, *, progress: bool | Progress = False, timeout: float | None = None, check: bool = True
    ) -> Self:
        """See ``Sweep.wait``."""
        shown = progress if isinstance(progress, Progress) else Progress(enabled=progress)
        await self._link.run(calls.wait_sweep(self, shown, timeout, check))
        return self

    async def dataframe(self) -> pandas.DataFrame:
        """See ``Sweep.dataframe``."""
        from headrace.frames import sweep_frame

        return sweep_frame(await self._link.run(calls.fronts(self)))

    async def plot(self, path: str | Path | None = None, *, x: str | None = None, y: str | None = None) -> Plot:
        """See ``Sweep.plot``."""
        from headrace.plot import plot_sweep

        plot = plot_sweep(await self._link.run(calls.fronts(self)), x, y)
        if path is not None:
            plot.save(path)
        return plot

    async def cancel(self) -> Self:
        """See ``Sweep.cancel``."""
        await self._link.run(calls.cancel_sweep(self))
        return self
