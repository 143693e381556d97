"""The asynchronous client: the calls of ``Client``, ``Job``, ``Trial`` and ``Sweep``, awaited instead of blocking.

What a call does is written once, in ``calls`` and ``http``; arguments, answers and errors are those of the method of
the same name there.
"""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

from headrace import calls
from headrace.body import JobFields
from headrace.client import service_url
from headrace.http import requests
from headrace.http.delivery import all_pages, download, emit_pages
from headrace.http.link import AsyncLink
from headrace.http.sse import Event
from headrace.progress import Progress
from headrace.records import Dataset, JobRecord, Model, SweepRecord, TrialRecord
from headrace.submission import SweepWish

if TYPE_CHECKING:
    import optuna
    import pandas

    from headrace.plot import Plot


class AsyncTrial(TrialRecord):
    """See ``Trial``."""

    def __init__(self, link: AsyncLink, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    async def operators(self) -> pandas.DataFrame:
        """See ``Trial.operators``."""
        from headrace.frames import operators_frame

        return operators_frame(await self._link.run(requests.document("trials", self.id, detail="operators")))

    async def attempts(self) -> list[dict[str, Any]]:
        """See ``Trial.attempts``."""
        return await self._link.run(all_pages(requests.get(requests.path("trials", self.id, "attempts"))))

    async def write_bundle(self, path: str | Path) -> Path:
        """See ``Trial.write_bundle``."""
        return await self._link.run(download(requests.path("trials", self.id, "rtl"), Path(path)))


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


class AsyncClient:
    """One service, for asyncio: ``async with AsyncClient() as client``. See ``Client``.

    Args:
        url: base URL; by default ``HEADRACE_URL``, else a service that runs on this machine.
        token: bearer token; by default ``HEADRACE_TOKEN``.
        timeout_s: seconds to wait for one answer.
        start: without an address and with no service running, start one that ends with this process.

    Raises:
        ConnectionFailed: no service runs on this machine, and none is installed that could be started.
    """

    def __init__(
        self, url: str | None = None, *, token: str | None = None, timeout_s: float = 180.0, start: bool = True
    ) -> None:
        self.url = service_url(url, start=start)
        self._link = AsyncLink(self.url, token or os.environ.get("HEADRACE_TOKEN"), timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"

    async def close(self) -> None:
        """See ``Client.close``."""
        await self._link.close()

    async def call(
        self, method: str, path: str, *, body: Any = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        """See ``Client.call``."""
        return await self._link.run(requests.call(method, path, body, params or {}))

    async def version(self) -> dict[str, Any]:
        """See ``Client.version``."""
        return await self._link.run(requests.version())

    async def devices(self) -> list[dict[str, Any]]:
        """See ``Client.devices``."""
        return await self._link.run(requests.listed("devices"))

    async def upload_model(
        self,
        model: Any,
        *,
        name: str | None = None,
        example: Any = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
        freeze: Mapping[str, Any] | None = None,
    ) -> Model:
        """See ``Client.upload_model``."""
        return Model(await self._link.run(calls.upload_model(model, name, example, shapes=shapes, freeze=freeze)))

    async def upload_dataset(self, dataset: Any, *, name: str | None = None) -> Dataset:
        """See ``Client.upload_dataset``."""
        return Dataset(await self._link.run(calls.upload_dataset(dataset, name)))

    async def models(self) -> list[Model]:
        """See ``Client.models``."""
        return [Model(document) for document in await self._link.run(requests.listed("models"))]

    async def model(self, model_id: str) -> Model:
        """See ``Client.model``."""
        return Model(await self._link.run(requests.document("models", model_id)))

    async def datasets(self) -> list[Dataset]:
        """See ``Client.datasets``."""
        return [Dataset(document) for document in await self._link.run(requests.listed("datasets"))]

    async def submit(
        self,
        model: Any,
        *,
        dataset: Any = None,
        name: str | None = None,
        example: Any = None,
        idempotency_key: str | None = None,
        **body: Unpack[JobFields],
    ) -> AsyncJob:
        """See ``Client.submit``."""
        steps = calls.submit(model, dataset, name, example, idempotency_key, body)
        return AsyncJob(self._link, await self._link.run(steps))

    async def sweep(
        self,
        jobs: Sequence[Mapping[str, Any]] | None = None,
        *,
        models: Any = None,
        platforms: Any = None,
        spaces: Any = None,
        dataset: Any = None,
        datasets: Mapping[str, Any] | None = None,
        example: Any = None,
        base: Mapping[str, Any] | None = None,
        matrix: Mapping[str, Sequence[Any]] | None = None,
        manifest: str | Path | None = None,
        **body: Unpack[JobFields],
    ) -> AsyncSweep:
        """See ``Client.sweep``."""
        wish = SweepWish(jobs, base, matrix, models, platforms, spaces, dataset, datasets, example, manifest, body)
        return AsyncSweep(self._link, await self._link.run(wish.start()))

    async def job(self, job_id: str) -> AsyncJob:
        """See ``Client.job``."""
        return AsyncJob(self._link, await self._link.run(requests.document("jobs", job_id)))

    def jobs(
        self, *, state: str | None = None, label: str | None = None, sweep: str | None = None
    ) -> AsyncIterator[AsyncJob]:
        """See ``Client.jobs``."""
        request = requests.get(requests.path("jobs"), state=state, label=label, sweep=sweep)
        return self._link.iterate(emit_pages(request, lambda document: AsyncJob(self._link, document)))

    async def trial(self, trial_id: str, *, operators: bool = False) -> AsyncTrial:
        """See ``Client.trial``."""
        detail = "operators" if operators else None
        return AsyncTrial(self._link, await self._link.run(requests.document("trials", trial_id, detail=detail)))

    async def find_sweep(self, sweep_id: str) -> AsyncSweep:
        """See ``Client.find_sweep``."""
        return AsyncSweep(self._link, await self._link.run(requests.document("sweeps", sweep_id)))

    def sweeps(self) -> AsyncIterator[AsyncSweep]:
        """See ``Client.sweeps``."""
        request = requests.get(requests.path("sweeps"))
        return self._link.iterate(emit_pages(request, lambda document: AsyncSweep(self._link, document)))
