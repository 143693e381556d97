"""What takes several requests, as steps: the same for the blocking client and the asynchronous one."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace import upload
from headrace.errors import HeadraceError, InvalidRequest, job_failed
from headrace.http import requests
from headrace.http.delivery import all_pages, download, follow
from headrace.http.requests import Document
from headrace.http.sse import Event
from headrace.http.steps import Emit, Pause, Steps
from headrace.metrics import METRICS, current_name
from headrace.progress import Progress, job_status, sweep_status
from headrace.records import JobRecord, SweepRecord
from headrace.suggest import did_you_mean

Fronts = list[tuple[Document, list[Document]]]
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TABLES = (".csv", ".json", ".parquet")
_SHOWN_SECONDS = 0.25
_POLL_SECONDS = 1.0


def upload_model(model: Any, name: str | None, example: Any, **fields: Any) -> Steps[Document]:
    """Upload anything that ``upload.model_bytes`` takes."""
    return (yield from requests.upload("models", upload.model_bytes(model, example), {"name": name, **fields}))


def upload_dataset(dataset: Any, name: str | None) -> Steps[Document]:
    """Upload anything that ``upload.dataset_bytes`` takes."""
    return (yield from requests.upload("datasets", upload.dataset_bytes(dataset), {"name": name}))


def model_id(model: Any, name: str | None, example: Any, dataset: Any) -> Steps[str]:
    """The id of a model, uploaded unless it is one already; a module is exported with the dataset's first sample."""
    if _is_digest(model) or isinstance(model, Mapping):
        return str(model["id"] if isinstance(model, Mapping) else model)
    is_file = isinstance(model, str | bytes | os.PathLike)
    if example is None and not is_file and dataset is not None and not _is_uploaded(dataset):
        example = upload.first_sample(dataset)
    return str((yield from upload_model(model, name, example))["id"])


def dataset_id(dataset: Any) -> Steps[str]:
    """The id of a dataset, uploaded unless it is one already."""
    if _is_uploaded(dataset):
        return str(dataset["id"] if isinstance(dataset, Mapping) else dataset)
    return str((yield from upload_dataset(dataset, None))["id"])


def submit(
    model: Any, dataset: Any, name: str | None, example: Any, key: str | None, fields: Mapping[str, Any]
) -> Steps[Document]:
    """Upload what is not there yet, and start an exploration."""
    body = {**fields, "model": (yield from model_id(model, name, example, dataset))}
    if dataset is not None:
        body["dataset"] = yield from dataset_id(dataset)
    try:
        return (yield from requests.submit_job(body, key))
    except InvalidRequest as error:
        _name_like_metrics(body, error)
        yield from _name_like_devices(body, error)
        raise


def refresh(job: JobRecord) -> Steps[None]:
    """Ask for the current state; an unchanged job costs the service one indexed read."""
    document, job.etag = yield from requests.refreshed("jobs", job.id, job.etag)
    if document is not None:
        job.document = document


def steer(job: JobRecord, verb: str) -> Steps[None]:
    """Pause, resume, stop or cancel."""
    job.document, job.etag = (yield from requests.verb("jobs", job.id, verb)), None


def limit(job: JobRecord, limits: Mapping[str, float | None]) -> Steps[None]:
    """Change the budgets that are given."""
    job.document, job.etag = (yield from requests.limit(job.id, limits)), None


def emit_events(job_id: str, last_id: int | None, deadline: float) -> Steps[None]:
    """Emit every event of a job up to its end or the ``time.monotonic()`` of the deadline."""

    def each(event: Event) -> Steps[None]:
        yield Emit(event)

    yield from follow(requests.path("jobs", job_id, "events"), last_id, deadline, each)


def wait_job(job: JobRecord, shown: Progress, timeout: float | None, check: bool) -> Steps[None]:
    """Follow a job to its end.

    Raises:
        NoFeasibleDesign, JobFailed: it failed, and ``check`` is set.
        TimeoutError: the time is up.
    """
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    last_refresh = 0.0

    def each(event: Event) -> Steps[None]:
        nonlocal last_refresh
        shown.event(event.event, event.data)
        # Events come faster than a person reads; the summary is asked for at most four times a second.
        if event.event == "end" or time.monotonic() - last_refresh > _SHOWN_SECONDS:
            yield from refresh(job)
            shown.update(job_status(job.document))
            last_refresh = time.monotonic()

    with shown:
        yield from refresh(job)
        shown.update(job_status(job.document))
        if not job.terminal:
            place = requests.path("jobs", job.id, "events")
            yield from follow(place, int(job.document["seq"]), deadline, each)
            yield from refresh(job)
            shown.update(job_status(job.document))
    if not job.terminal:
        raise TimeoutError(f"job {job.id} is {job.state} after {timeout} s; it goes on")
    if check and job.state == "failed":
        raise job_failed(job.document)


def refresh_sweep(sweep: SweepRecord) -> Steps[None]:
    """Ask for the current state."""
    sweep.document = yield from requests.document("sweeps", sweep.id)


def wait_sweep(sweep: SweepRecord, shown: Progress, timeout: float | None, check: bool) -> Steps[None]:
    """Wait until every job of a sweep has ended; errors as ``wait_job``, for the first job that failed."""
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    with shown:
        yield from refresh_sweep(sweep)
        shown.update(sweep_status(sweep.document))
        while not sweep.terminal:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"sweep {sweep.id} has not ended after {timeout} s; it goes on")
            yield Pause(min(_POLL_SECONDS, left))
            yield from refresh_sweep(sweep)
            shown.update(sweep_status(sweep.document))
    if check:
        for job in (yield from sweep_jobs(sweep)):
            if job["state"] == "failed":
                raise job_failed(job)


def sweep_jobs(sweep: SweepRecord) -> Steps[list[Document]]:
    """Job documents of a sweep, in the order of its items."""
    return (yield from requests.jobs_of_sweep(sweep.id, sweep.job_ids))


def fronts(sweep: SweepRecord) -> Steps[Fronts]:
    """Each job of a sweep with its Pareto front."""
    found: Fronts = []
    for job in (yield from sweep_jobs(sweep)):
        found.append((job, (yield from all_pages(requests.front_of(job["id"])))))
    return found


def cancel_sweep(sweep: SweepRecord) -> Steps[None]:
    """Cancel every job that has not ended."""
    sweep.document = yield from requests.verb("sweeps", sweep.id, "cancel")


def best(job: JobRecord, metric: str | None) -> Steps[Document]:
    """The trial that is best in one objective, the first by default.

    Raises:
        HeadraceError: no trial is complete yet, or the metric is not an objective.
    """
    yield from refresh(job)
    name = job.objectives[0] if metric is None else current_name(metric)
    if name not in job.objectives:
        known = ", ".join(job.objectives)
        raise HeadraceError(
            f"{name} is not an objective of this job; its objectives are {known}{did_you_mean(name, job.objectives)}"
        )
    if name not in job.document["best"]:
        raise HeadraceError(f"job {job.id} has no feasible complete trial yet")
    return (yield from requests.document("trials", job.document["best"][name]["trial_id"]))


def trials_and_front(job: JobRecord, state: str | None) -> Steps[tuple[list[Document], list[Document]]]:
    """The trials of a job, and its front."""
    trials = yield from all_pages(requests.trials_of(job.id, state))
    return trials, (yield from all_pages(requests.front_of(job.id)))


def write_trials(job_id: str, target: Path) -> Steps[Path]:
    """Download all trials of a job, as the kind of file that the suffix says.

    Raises:
        HeadraceError: it is another suffix.
    """
    if target.suffix not in _TABLES:
        raise HeadraceError(f"{target} says no kind of file: end it with {', '.join(_TABLES[:-1])} or {_TABLES[-1]}")
    return (yield from download(requests.path("jobs", job_id, f"trials{target.suffix}"), target))


def picture(job: JobRecord) -> Steps[tuple[str, list[Document], list[Document]]]:
    """What a plot of a job needs: its model's name, its trials and its front."""
    yield from refresh(job)
    name = str((yield from requests.document("models", job.document["model"]))["name"])
    return name, *(yield from trials_and_front(job, None))


def _name_like_metrics(body: Mapping[str, Any], error: InvalidRequest) -> None:
    """Add to a refusal the metrics that have nearly the name of an unknown one."""
    parts = [*(body.get("objectives") or ()), *(body.get("constraints") or ())]
    named = [
        current_name(part["metric"])
        for part in parts
        if isinstance(part, Mapping) and isinstance(part.get("metric"), str)
    ]
    for name in dict.fromkeys(named):
        if name not in METRICS and (meant := did_you_mean(name, METRICS)):
            error.add_hint(f"{name} is no metric{meant}")


def _name_like_devices(body: Mapping[str, Any], error: InvalidRequest) -> Steps[None]:
    """Add to a refusal the devices of the catalogue that have nearly the name of an unknown one."""
    entries = (body.get("platform") or {}).get("devices") or ()
    named = {e["device"] for e in entries if isinstance(e, Mapping) and isinstance(e.get("device"), str)}
    if not named:
        return
    known = [device["name"] for device in (yield from requests.listed("devices"))]
    for name in sorted(named - set(known)):
        error.add_hint(f"{name} is not in the device catalogue{did_you_mean(name, known)}")


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_uploaded(dataset: Any) -> bool:
    """An id, or the answer to an upload; other mappings hold arrays."""
    return _is_digest(dataset) or (isinstance(dataset, Mapping) and isinstance(dataset.get("id"), str))
