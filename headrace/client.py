"""The connection to a service: uploads, submissions, lists."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

from headrace import embedded, upload
from headrace.job import Job, Sweep
from headrace.transport import Transport

DEFAULT_URL = embedded.DEFAULT_URL
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


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
    given = url or os.environ.get("HEADRACE_URL")
    return Client(
        given or (embedded.find_or_start() if start else embedded.running_url() or DEFAULT_URL),
        token=token or os.environ.get("HEADRACE_TOKEN"),
        timeout_s=timeout_s,
    )


class Client:
    """One service. Calls block; none runs an event loop, so notebooks are safe. Usable as a context manager."""

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float = 180.0) -> None:
        self._transport = Transport(url.rstrip("/"), token, timeout_s)
        self.url = self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def version(self) -> dict[str, Any]:
        """Versions of the service and of its tools."""
        return dict(self._transport.json("GET", "/version"))

    def devices(self) -> list[dict[str, Any]]:
        """The device catalogue."""
        return list(self._transport.pages("/v1/devices", {}))

    def upload_model(self, model: Any, *, name: str | None = None, example: Any = None) -> dict[str, Any]:
        """Upload a model; the same bytes again give the same ``id``.

        Args:
            model: path, bytes or live ``torch.nn.Module``; see ``headrace.upload.model_bytes``.
            name: display name; the file's or the class's name by default.
            example: one input batch, needed to export a module.

        Raises:
            UnsupportedModel: an operator is outside the supported set; ``errors`` names every node.
            UnsafeModel: the file may execute code.
            InvalidModel: the file cannot be read.
        """
        filename, data = upload.model_bytes(model, example)
        fields = {"name": name} if name else {}
        return dict(self._transport.json("POST", "/v1/models", files={"file": (filename, data)}, data=fields))

    def upload_dataset(self, dataset: Any, *, name: str | None = None) -> dict[str, Any]:
        """Upload evaluation data: path of an ``.npz``, mapping of arrays, or pair ``(inputs, targets)``.

        Raises:
            InvalidDataset: the arrays do not fit together.
        """
        filename, data = upload.dataset_bytes(dataset)
        fields = {"name": name} if name else {}
        return dict(self._transport.json("POST", "/v1/datasets", files={"file": (filename, data)}, data=fields))

    def submit(
        self,
        model: Any,
        *,
        dataset: Any = None,
        name: str | None = None,
        example: Any = None,
        idempotency_key: str | None = None,
        **body: Any,
    ) -> Job:
        """Start an exploration and return at once.

        Args:
            model: an uploaded model's id, or anything ``upload_model`` takes.
            dataset: an uploaded dataset's id, or anything ``upload_dataset`` takes; None evaluates agreement with the
                float model on generated inputs.
            name: display name of an uploaded model.
            example: one input batch to export a live module with; the dataset's first sample by default.
            idempotency_key: a key of your own that makes repeating this very call safe, also across processes.
            **body: the other fields of the job body: ``platform``, ``space``, ``objectives``, ``constraints``,
                ``search``, ``simulation``, ``metric``, ``output``, ``labels``.

        Raises:
            InvalidRequest: the body does not fit the contract; ``errors`` has JSON pointers.
            Unsatisfiable: no candidate can meet the constraints.
        """
        body["model"] = self._model_id(model, name, example, dataset)
        if dataset is not None:
            body["dataset"] = self._dataset_id(dataset)
        answer = self._transport.json(
            "POST", "/v1/jobs", json=body, headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        )
        return Job(self._transport, answer)

    def sweep(
        self,
        jobs: Sequence[Mapping[str, Any]] | None = None,
        *,
        base: Mapping[str, Any] | None = None,
        matrix: Mapping[str, Sequence[Any]] | None = None,
    ) -> Sweep:
        """Start many jobs: a list of bodies, or a base body and a matrix of values by JSON pointer.

        ``client.sweep(base={"model": m["id"]}, matrix={"/search/seed": [0, 1, 2]})`` starts three jobs. Items the
        service refuses are in ``sweep.refused`` with their problem documents; the others run.
        """
        form: dict[str, Any] = {"jobs": jobs, "base": base, "matrix": matrix}
        answer = self._transport.json(
            "POST",
            "/v1/sweeps",
            json={k: v for k, v in form.items() if v is not None},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        return Sweep(self._transport, answer)

    def job(self, job_id: str) -> Job:
        """An existing job."""
        return Job(self._transport, self._transport.json("GET", f"/v1/jobs/{quote(job_id, safe='')}"))

    def jobs(self, *, state: str | None = None, label: str | None = None) -> Iterator[Job]:
        """Jobs, newest first; ``label`` is ``key=value``."""
        for item in self._transport.pages("/v1/jobs", {"state": state, "label": label}):
            yield Job(self._transport, item)

    def trial(self, trial_id: str, *, operators: bool = False) -> dict[str, Any]:
        """One trial in full; with ``operators`` also the figures of every device and operator."""
        params = {"detail": "operators"} if operators else {}
        return dict(self._transport.json("GET", f"/v1/trials/{quote(trial_id, safe='')}", params=params))

    def _model_id(self, model: Any, name: str | None, example: Any, dataset: Any) -> str:
        if isinstance(model, str) and _DIGEST.fullmatch(model):
            return model
        is_file = isinstance(model, str | bytes | os.PathLike)
        if example is None and not is_file and dataset is not None and not _is_digest(dataset):
            example = upload.first_sample(dataset)
        return str(self.upload_model(model, name=name, example=example)["id"])

    def _dataset_id(self, dataset: Any) -> str:
        return str(dataset) if _is_digest(dataset) else str(self.upload_dataset(dataset)["id"])


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
