"""The blocking connection to a service: uploads, submissions, lists."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

from headrace import calls, embedded
from headrace.body import JobFields
from headrace.http import requests
from headrace.http.delivery import emit_pages
from headrace.http.link import Link
from headrace.job import Job
from headrace.records import Dataset, Model
from headrace.submission import SweepWish
from headrace.sweep import Sweep
from headrace.trial import Trial


def service_url(url: str | None, *, start: bool) -> str:
    """A given URL, else ``HEADRACE_URL``, else that of a service on this machine; see ``connect``."""
    given = url or os.environ.get("HEADRACE_URL")
    return (given or (embedded.find_or_start() if start else embedded.running_url() or embedded.DEFAULT_URL)).rstrip(
        "/"
    )


def connect(
    url: str | None = None, *, token: str | None = None, timeout_s: float = 180.0, start: bool = True
) -> Client:
    """Connect to a service.

    Args:
        url: base URL; by default ``HEADRACE_URL``, else a service that runs on this machine. An address that is given
            is not tried yet.
        token: bearer token; by default ``HEADRACE_TOKEN``.
        timeout_s: seconds to wait for one answer.
        start: without an address and with no service running, start one that ends with this process.

    Raises:
        ConnectionFailed: no service runs on this machine, and none is installed that could be started.
    """
    url = service_url(url, start=start)
    return Client(url, token=token or os.environ.get("HEADRACE_TOKEN"), timeout_s=timeout_s)


class Client:
    """One service. Calls block; none runs an event loop, so notebooks are safe. Usable as a context manager."""

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float = 180.0) -> None:
        self.url = url.rstrip("/")
        self._link = Link(self.url, token, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._link.close()

    def call(
        self, method: str, path: str, *, body: Any = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        """Send any request of the contract.

        Args:
            method: HTTP method.
            path: such as ``/v1/jobs``.
            body: sent as JSON, where it is not None.
            params: of the query.

        Returns:
            The decoded answer; None where there is none (204).

        Raises:
            ProblemError: the service refused.
            ConnectionFailed: it does not answer.
        """
        return self._link.run(requests.call(method, path, body, params or {}))

    def version(self) -> dict[str, Any]:
        """Versions of the service and of its tools."""
        return self._link.run(requests.read("/version"))

    def ready(self) -> dict[str, Any]:
        """Whether jobs submitted now would run.

        Returns:
            ``ready``, and what is wrong with ``database``, ``broker`` and ``workers``, each ``"ok"`` when nothing is.
        """
        return self._link.run(requests.ready())

    def health(self) -> dict[str, Any]:
        """Workers, what waits and runs, how often caches answered, and why trials came to nothing."""
        return self._link.run(requests.read("/v1/health"))

    def metrics(self) -> str:
        """The service's Prometheus metrics, as text."""
        return self._link.run(requests.metrics())

    def devices(self) -> list[dict[str, Any]]:
        """The device catalogue."""
        return self._link.run(requests.listed("devices"))

    def device(self, name: str) -> dict[str, Any]:
        """A device of the catalogue."""
        return self._link.run(requests.document("devices", name))

    def upload_model(
        self,
        model: Any,
        *,
        name: str | None = None,
        example: Any = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
        freeze: Mapping[str, Any] | None = None,
    ) -> Model:
        """Upload a model; the same bytes again give the same ``id``.

        Args:
            model: path, bytes or live ``torch.nn.Module``; see ``headrace.upload.model_bytes``.
            name: display name; the file's or the class's name by default.
            example: one input batch, needed to export a module.
            shapes: sizes of open axes: by input name the whole shape, batch axis included.
            freeze: inputs that become constants: by input name a value, or ``"ones"``, ``"zeros"``, ``"arange"``.

        Raises:
            UnsupportedModel: an operator is outside the supported set; ``errors`` names every node.
            UnsafeModel: the file may execute code.
            InvalidModel: the file cannot be read.
        """
        steps = calls.upload_model(model, name, example, shapes=shapes, freeze=freeze)
        return Model(self._link.run(steps))

    def upload_dataset(self, dataset: Any, *, name: str | None = None) -> Dataset:
        """Upload evaluation data: path of an ``.npz``, mapping of arrays, or pair ``(inputs, targets)``.

        Raises:
            InvalidDataset: the arrays do not fit together.
        """
        return Dataset(self._link.run(calls.upload_dataset(dataset, name)))

    def models(self) -> list[Model]:
        """All uploaded models."""
        return [Model(document) for document in self._link.run(requests.listed("models"))]

    def model(self, model_id: str) -> Model:
        """An uploaded model."""
        return Model(self._link.run(requests.document("models", model_id)))

    def delete_model(self, model_id: str) -> None:
        """Delete a model with its file.

        Raises:
            Conflict: a job that is not deleted uses it.
        """
        self._link.run(requests.delete("models", model_id))

    def datasets(self) -> list[Dataset]:
        """All uploaded evaluation data."""
        return [Dataset(document) for document in self._link.run(requests.listed("datasets"))]

    def dataset(self, dataset_id: str) -> Dataset:
        """Uploaded evaluation data."""
        return Dataset(self._link.run(requests.document("datasets", dataset_id)))

    def submit(
        self,
        model: Any,
        *,
        dataset: Any = None,
        name: str | None = None,
        example: Any = None,
        idempotency_key: str | None = None,
        **body: Unpack[JobFields],
    ) -> Job:
        """Start an exploration and return at once.

        Args:
            model: an uploaded model or its id, or anything ``upload_model`` takes.
            dataset: an uploaded dataset or its id, or anything ``upload_dataset`` takes; None evaluates agreement with
                the float model on generated inputs.
            name: display name of an uploaded model.
            example: one input batch to export a live module with; the dataset's first sample by default.
            idempotency_key: a key of your own that makes repeating this very call safe, also across processes.
            **body: the other fields of the job body: ``platform``, ``space``, ``objectives``, ``constraints``,
                ``search``, ``simulation``, ``routing``, ``metric``, ``output``, ``labels``.

        Raises:
            InvalidRequest: the body does not fit the contract; ``errors`` has JSON pointers.
            Unsatisfiable: no candidate can meet the constraints.
        """
        return Job(self._link, self._link.run(calls.submit(model, dataset, name, example, idempotency_key, body)))

    def sweep(
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
    ) -> Sweep:
        """Start a job for each combination, once: running the same call again gives the same sweep.

        A sweep over ``models`` keeps a manifest, written before anything is submitted. The same call finds it there
        and submits nothing, in this kernel or the next one. Other forms keep one where ``manifest`` names it.
        Items that the service refuses are in ``sweep.refused`` with their problem documents; the others run.

        Args:
            jobs: bodies of jobs, instead of ``models``.
            models: by name, in a list, or one; each as ``submit`` takes it. Jobs carry the name as label ``model``.
            platforms: by name, in a list, or one: platforms of a job body, or names of devices. Label ``platform``.
            spaces: likewise spaces of a job body. Label ``space``.
            dataset: evaluation data of all models, as ``submit`` takes it.
            datasets: evaluation data by name of the model, instead of ``dataset``.
            example: one input batch to export live modules with.
            base: a job body, instead of ``models``, and
            matrix: values for it by JSON pointer: ``{"/search/seed": [0, 1, 2]}``.
            manifest: the file; by default below ``headrace-sweeps`` under a name made from what is submitted, so that
                changing an argument makes another sweep.
            **body: the other fields of every job, as in ``submit``.

        Raises:
            HeadraceError: arguments of two forms, or the manifest belongs to another sweep.
        """
        wish = SweepWish(jobs, base, matrix, models, platforms, spaces, dataset, datasets, example, manifest, body)
        return Sweep(self._link, self._link.run(wish.start()))

    def job(self, job_id: str) -> Job:
        """An existing job."""
        return Job(self._link, self._link.run(requests.document("jobs", job_id)))

    def jobs(
        self,
        *,
        state: str | None = None,
        label: str | None = None,
        sweep: str | None = None,
        model: str | None = None,
        search: str | None = None,
    ) -> Iterator[Job]:
        """Jobs, newest first.

        Args:
            state: only jobs in this state.
            label: only jobs with this label, ``key=value``.
            sweep: only jobs of the sweep with this id.
            model: only jobs of this model: its id or its whole name.
            search: only jobs with this text in a label's value, the model's name or the id.
        """
        request = requests.get(requests.path("jobs"), state=state, label=label, sweep=sweep, model=model, q=search)
        return self._link.iterate(emit_pages(request, lambda document: Job(self._link, document)))

    def trial(self, trial_id: str, *, operators: bool = False) -> Trial:
        """One trial in full; with ``operators`` its document also has the figures of every device and operator."""
        detail = "operators" if operators else None
        return Trial(self._link, self._link.run(requests.document("trials", trial_id, detail=detail)))

    def find_sweep(self, sweep_id: str) -> Sweep:
        """An existing sweep."""
        return Sweep(self._link, self._link.run(requests.document("sweeps", sweep_id)))

    def sweeps(self) -> Iterator[Sweep]:
        """Sweeps, newest first."""
        request = requests.get(requests.path("sweeps"))
        return self._link.iterate(emit_pages(request, lambda document: Sweep(self._link, document)))
