"""Answers about trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field

from api.design_views import CandidateView, MetricsView
from api.schemas import TrialState
from api.views import OpenView, Time, View, absent_unless_known
from db.rows import TrialRow
from explorer.result import ClockSource


class ExactView(View):
    """The word-for-word comparison with the integer reference."""

    compared_words: int = Field(description="output words compared")
    mismatched_words: int = Field(description="output words that differ: 0, or the trial is no result")
    samples: int = Field(description="samples streamed")


class StageView(View):
    """One rung of the fidelity ladder."""

    name: str = Field(description="name of the rung")
    seconds: float = Field(description="wall seconds")
    cache_hit: bool = Field(description="whether a cache answered")


class ProvenanceView(OpenView):
    """What a result depends on."""

    code_version: str | None = absent_unless_known("version of our code")
    code_digest: str | None = absent_unless_known("hash of the sources that decide the result")
    tools: dict[str, str | None] | None = absent_unless_known("tool -> version, null where it is missing")
    seed: int | None = absent_unless_known("seed of the job")
    model: str | None = absent_unless_known("id of the model")
    dataset: str | None = Field(None, description="id of the evaluation data; null: generated inputs")
    metric: str | None = absent_unless_known("what `accuracy` is")
    evaluation_data: str | None = absent_unless_known("`dataset` or `generated inputs`")
    evaluation_samples: int | None = absent_unless_known("samples that `accuracy` was computed on")


class CyclesView(View):
    """Measured cycles of one simulation."""

    meas_latency_cycles: float | None = absent_unless_known("cycles from the first beat in to the first sample out")
    meas_interval_cycles: float | None = absent_unless_known("cycles between successive inferences")


class SignOffView(OpenView):
    """The design simulated again as one whole model, and compared transfer by transfer."""

    equal: bool | None = Field(None, description="whether words and cycles are the same; null: it did not finish")
    transfers: int | None = absent_unless_known("output transfers compared")
    difference: str | None = Field(None, description="the first difference")
    composed: CyclesView | None = absent_unless_known("cycles of the composed simulation")
    monolithic: CyclesView | None = absent_unless_known("cycles of the whole model")
    recorded: CyclesView | None = absent_unless_known("cycles on record")
    compared_words: int | None = absent_unless_known("output words compared with the reference")
    mismatched_words: int | None = absent_unless_known("output words that differ")
    seconds: float | None = absent_unless_known("wall seconds")
    error: str | None = absent_unless_known("why it did not finish")


class CriticalPathView(View):
    """The slowest path between two registers of a routed device."""

    operator: str = Field(description="the instance in which it spends most of its time; `shell`: outside of all")
    stage: str = Field(description="its first and last register")
    ns: float = Field(description="its length, clock to output and setup included, ns")
    routing_ns: float = Field(description="of that in wires, ns")


class RoutedFiguresView(OpenView):
    """What place and route found, the cells of the shell left out."""

    index: int | None = absent_unless_known("index of the device")
    device: str | None = absent_unless_known("name of the device")
    part: str | None = absent_unless_known("the part that it was routed for, as it is ordered")
    seed: int | None = absent_unless_known("seed of the placer")
    fmax_mhz: float | None = absent_unless_known("the fastest clock, MHz")
    critical_path: CriticalPathView | None = absent_unless_known("what limits that clock")
    lut: int | None = absent_unless_known("LUTs of four inputs")
    ff: int | None = absent_unless_known("flip-flops")
    dsp: int | None = absent_unless_known("multipliers of 18 × 18 bits")
    bram: int | None = absent_unless_known("block RAMs of 18 Kbit")
    shell_lut: int | None = absent_unless_known("LUTs of the shell around it")
    shell_ff: int | None = absent_unless_known("flip-flops of the shell around it")
    bitstream_bytes: int | None = absent_unless_known("size of the bitstream, bytes")


class RoutedView(RoutedFiguresView):
    """A routed design: part, clock and critical path of its slowest device, and the area of all of them."""

    devices: list[RoutedFiguresView] = Field(description="the same, device by device")


class TrialView(View):
    """One candidate and what became of it."""

    id: str = Field(description="id of the trial")
    job_id: str = Field(description="the job that it belongs to")
    number: int = Field(description="number within the job, from 0")
    seq: int = Field(description="number of the job's event of its last change")
    state: TrialState = Field(description="`complete`: simulated, and every word compared")
    reason: str | None = Field(description="why it is infeasible, failed or tried again")
    stage: str | None = Field(description="what runs right now")
    attempts: int = Field(description="how often it was started")
    created_at: Time = Field(description="when it was proposed")
    started_at: Time | None = Field(description="when it was first started")
    finished_at: Time | None = Field(description="when it ended")
    candidate: CandidateView = Field(description="the design that it stands for")
    candidate_hash: str = Field(description="hash of the candidate")
    metrics: MetricsView = Field(
        description="what was found; a metric that was not reached is absent. Of a routed design those that need a "
        "clock are at the slower of the routed and the requested one"
    )
    exact: ExactView | None = Field(description="the comparison of words; null until simulated")
    constraints: dict[str, float] = Field(description="constraint -> violation; positive is violated")
    stages: list[StageView] = Field(description="rungs of the ladder, in the order they ran")
    clock_source: ClockSource | None = Field(
        description="where `clock_mhz` of the metrics comes from; null until a clock was used"
    )
    provenance: ProvenanceView = Field(description="what the result depends on")
    cached_from: str | None = Field(description="the trial whose stored evaluation answered this one")
    sign_off: str | None = Field(description="queued, running, done or failed; null: not asked for")
    sign_off_result: SignOffView | None = Field(description="what the sign-off found")
    routing: str | None = Field(description="queued, running, done or failed; null: not asked for")
    routing_reason: str | None = Field(description="why a design whose routing ended has no routed clock")
    routed: RoutedView | None = Field(description="what place and route found; null: no routed clock")

    @classmethod
    def of(cls, row: TrialRow, *, operators: bool = False) -> Self:
        """From the store's row; with ``operators`` the metrics also hold what the trial's detail has."""
        result: Mapping[str, Any] = row.result or {}
        routing: Mapping[str, Any] = row.routing_result or {}
        routed = routing.get("routed")
        found = {**result.get("metrics", {}), **routing.get("metrics", {})}
        figures = {**found, **(result.get("detail", {}) if operators else {})}
        exact = result.get("exact")
        stages: Sequence[Mapping[str, Any]] = [
            *result.get("stages", ()),
            *([routing["stage"]] if "stage" in routing else []),
        ]
        return cls(
            id=row.id,
            job_id=row.job_id,
            number=row.number,
            seq=row.seq,
            state=row.state,
            reason=row.reason,
            stage=row.stage,
            attempts=row.attempts,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            candidate=CandidateView.model_validate(row.candidate),
            candidate_hash=row.candidate_hash,
            metrics=MetricsView.model_validate(figures),
            exact=None if exact is None else ExactView(**exact),
            constraints=dict(result.get("constraints", {})),
            stages=[StageView(**stage) for stage in stages],
            clock_source="routed" if routed else result.get("clock_source"),
            provenance=ProvenanceView.model_validate(result.get("provenance", {})),
            cached_from=row.cached_from,
            sign_off=row.sign_off,
            sign_off_result=None if row.sign_off_result is None else SignOffView.model_validate(row.sign_off_result),
            routing=row.routing,
            routing_reason=routing.get("reason") or routing.get("error"),
            routed=None if routed is None else RoutedView.model_validate({**routed, "devices": routing["devices"]}),
        )


class AttemptView(View):
    """One start of a trial on a worker."""

    purpose: str = Field(description="`evaluate`, `sign_off` or `routing`")
    worker: str = Field(description="the worker that ran it")
    started_at: Time = Field(description="when it started")
    ended_at: Time | None = Field(description="when it ended; null while it runs")
    outcome: str | None = Field(description="how it ended; null while it runs")
    reason: str | None = Field(description="why it ended so")
