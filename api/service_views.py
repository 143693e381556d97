"""Answers about the service itself: its health, its workers, the devices it knows."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from api.views import Document, Time, View


class DeviceView(View):
    """A catalogue part; ``sources`` says where the numbers come from."""

    model_config = ConfigDict(extra="allow")

    name: str
    family: str
    lut: int
    ff: int
    dsp: int
    bram_kb: float
    uram_kb: float
    off_chip_gb_per_s: float
    static_w: float
    default_clock_mhz: float


class HealthView(View):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadyView(View):
    """Whether jobs submitted now would run: each part is ``ok`` or says what is wrong."""

    ready: bool
    database: str
    broker: str
    workers: str


class WorkerView(View):
    """A worker heard recently, with its tools and the state of its sandbox."""

    id: str
    queues: list[str]
    heard_at: Time
    info: Document


class VersionView(View):
    """Versions of the service and of every worker's tools."""

    version: str
    python: str
    schema_revision: str
    packages: dict[str, str]
    workers: list[WorkerView]
