"""Answers about the service itself: its health, its workers, the devices it knows."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from api.schemas import TrialState
from api.views import OpenView, Time, View, absent_unless_known
from db.rows import HealthRow, WorkerRow


class DeviceView(OpenView):
    """A catalogue part. Jobs may carry a device of their own in the same shape."""

    name: str = Field(description="name that job bodies use")
    part: str | None = absent_unless_known("the maker's name of the part")
    family: str = Field(description="family; decides what a LUT is and how operators are estimated")
    lut: int = Field(description="LUTs")
    ff: int = Field(description="flip-flops")
    dsp: int = Field(description="DSP blocks")
    bram_kb: float = Field(description="block RAM, Kbit")
    uram_kb: float = Field(description="UltraRAM, Kbit")
    off_chip_gb_per_s: float = Field(description="bandwidth to memory off the chip, GB/s")
    static_w: float = Field(description="static power, W")
    default_clock_mhz: float = Field(description="clock where a job names none, MHz")
    sources: list[str] | None = absent_unless_known("where the numbers come from")
    estimates: list[str] | None = absent_unless_known("fields that are estimates of ours")
    notes: str | None = absent_unless_known("what else to know")


class HealthView(View):
    """The process answers."""

    status: Literal["ok"] = Field("ok", description="always `ok`")


class ReadyView(View):
    """Whether jobs submitted now would run: each part is ``ok`` or says what is wrong."""

    ready: bool = Field(description="whether all parts are `ok`")
    database: str = Field(description="the database")
    broker: str = Field(description="the broker")
    workers: str = Field(description="the workers")


class SandboxView(OpenView):
    """How a worker isolates what it runs."""

    mode: str | None = absent_unless_known("`namespaces`, or less")
    reason: str | None = absent_unless_known("why it is not more")


class WorkerInfo(OpenView):
    """What a worker says of itself."""

    sandbox: SandboxView | None = absent_unless_known("how it isolates what it runs")
    tools: dict[str, str | None] | None = absent_unless_known("tool -> version, null where it is missing")
    toolchain: str | None = absent_unless_known("hash of what decides the results of its evaluations")
    slots: int | None = absent_unless_known("evaluations at a time")


class WorkerView(View):
    """A worker heard recently, with its tools and the state of its sandbox."""

    id: str = Field(description="id of the process")
    queues: list[str] = Field(description="queues that it serves")
    heard_at: Time = Field(description="when it was last heard")
    info: WorkerInfo = Field(description="what it says of itself")

    @classmethod
    def of(cls, row: WorkerRow) -> Self:
        """From the store's row."""
        info = WorkerInfo.model_validate(row.info)
        return cls(id=row.id, queues=list(row.queues), heard_at=row.heard_at, info=info)


class VersionView(View):
    """Versions of the service and of every worker's tools."""

    version: str = Field(description="version of the service")
    python: str = Field(description="version of its Python")
    schema_revision: str = Field(description="revision of the database schema")
    packages: dict[str, str] = Field(description="package -> installed version")
    workers: list[WorkerView] = Field(description="the workers heard in the last seconds")


class QueueView(View):
    """What waits and what runs."""

    jobs: dict[str, int] = Field(description="job state -> number of jobs")
    trials_waiting: int = Field(description="trials that nobody has started")
    trials_running: int = Field(description="evaluations and sign-offs that a worker holds")
    messages_waiting: int = Field(description="messages that the broker has not taken yet")
    slots: int = Field(description="evaluations that all workers together can run at a time")


class StageCacheView(View):
    """How often a cache answered one rung of the ladder."""

    ran: int = Field(description="how often the rung ran")
    hits: int = Field(description="how often a cache answered")


class CacheView(View):
    """How often caches answered, over the newest trials."""

    trials: int = Field(description="newest trials with a result, at most 500")
    stored_answers: int = Field(description="of these, trials that a stored evaluation answered as a whole")
    hit_rate: float | None = Field(description="share of all rungs that a cache answered; null without trials")
    stages: dict[str, StageCacheView] = Field(description="rung -> how often a cache answered it")

    @classmethod
    def of(cls, row: HealthRow) -> Self:
        """From the store's row."""
        ran, hits = (sum(each[place] for each in row.stages.values()) for place in (1, 0))
        return cls(
            trials=row.trials_looked_at,
            stored_answers=row.stored_answers,
            hit_rate=hits / ran if ran else None,
            stages={name: StageCacheView(ran=count, hits=hit) for name, (hit, count) in row.stages.items()},
        )


class ReasonView(View):
    """Why trials came to nothing."""

    state: TrialState = Field(description="`failed` or `infeasible`")
    reason: str = Field(description="the reason that is on record")
    count: int = Field(description="trials with this reason, of the newest 500")


class ServiceHealthView(View):
    """How the service fares."""

    ready: ReadyView = Field(description="whether jobs submitted now would run")
    workers: list[WorkerView] = Field(description="the workers heard in the last seconds")
    queue: QueueView = Field(description="what waits and what runs")
    cache: CacheView = Field(description="how often caches answered")
    reasons: list[ReasonView] = Field(description="the most frequent reasons of failed and infeasible trials")
