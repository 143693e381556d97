"""The asynchronous connection to a service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

from headrace import calls
from headrace.aio.job import AsyncJob
from headrace.aio.sweep import AsyncSweep
from headrace.aio.trial import AsyncTrial
from headrace.body import JobFields
from headrace.client import service_url
from headrace.http import requests
from headrace.http.delivery import emit_pages
from headrace.http.link import AsyncLink
from headrace.records import Dataset, Model
from headrace.submission import SweepWish


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
        return await self._link.run(requests.read("/version"))

    async def ready(self) -> dict[str, Any]:
        """See ``Client.ready``."""
        return await self._link.run(requests.ready())

    async def health(self) -> dict[str, Any]:
        """See ``Client.health``."""
        return await self._link.run(requests.read("/v1/health"))

    async def metrics(self) -> str:
        """See ``Client.metrics``."""
        return await self._link.run(requests.metrics())

    async def devices(self) -> list[dict[str, Any]]:
        """See ``Client.devices``."""
        return await self._link.run(requests.listed("devices"))

    async def device(self, name: str) -> dict[str, Any]:
        """See ``Client.device``."""
        return await self._link.run(requests.document("devices", name))

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

    async def delete_model(self, model_id: str) -> None:
        """See ``Client.delete_model``."""
        await self._link.run(requests.delete("models", model_id))

    async def datasets(self) -> list[Dataset]:
        """See ``Client.datasets``."""
        return [Dataset(document) for document in await self._link.run(requests.listed("datasets"))]

    async def dataset(self, dataset_id: str) -> Dataset:
        """See ``Client.dataset``."""
        return Dataset(await self._link.run(requests.document("datasets", dataset_id)))

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
        self,
        *,
        state: str | None = None,
        label: str | None = None,
        sweep: str | None = None,
        model: str | None = None,
        search: str | None = None,
    ) -> AsyncIterator[AsyncJob]:
        """See ``Client.jobs``."""
        request = requests.get(requests.path("jobs"), state=state, label=label, sweep=sweep, model=model, q=search)
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
