"""Evaluation of one candidate, rung by rung: legality, estimates, accuracy, simulated RTL.

A rung that finds a violated constraint ends the climb: the candidate is infeasible, with the amounts. A simulation
that is not exact is our defect and raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.accuracy import Judge, evaluation_data
from explorer.candidate import Candidate
from explorer.catalogue import clock_mhz, connected_devices, platform_devices
from explorer.choices import build_space
from explorer.constraints import certain_violations, violations
from explorer.errors import DesignDefect
from explorer.estimate import Estimate, estimate_design, hop_detail, overflows, resource_metrics
from explorer.hardware import Builder, input_words
from explorer.power import energy_uj, power_w
from explorer.provenance import provenance
from explorer.result import ClockSource, Exact, Stage, TrialResult
from explorer.spec import JobSpec
from hwgen.errors import IllegalGraph, IllegalParameters
from hwgen.hardware.design import Design, run_reference
from hwgen.hardware.streams import Words
from hwgen.model.graph import Graph
from hwgen.simulation.build import BuildCache
from hwgen.simulation.bundle import write_bundle
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import SimulationOptions, simulate

_LEAST_SAMPLES = 2  # an interval lies between two samples
_QUIET_CYCLES = 10_000


@dataclass
class _Climb:
    """What is known of a candidate so far."""

    on_stage: Callable[[str], None]
    metrics: dict[str, float] = field(default_factory=dict)
    constraints: dict[str, float] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    cached: bool = False
    clock_source: ClockSource | None = None

    @contextmanager
    def rung(self, name: str) -> Iterator[None]:
        """Announce and time a rung; ``cached`` set inside says that a cache answered."""
        self.on_stage(name)
        self.cached = False
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages.append(Stage(name, round(time.perf_counter() - start, 6), self.cached))


class _Infeasible(Exception):
    """The climb ends here; the message is the reason."""


class Evaluator:
    """Evaluates candidates of one job.

    Args:
        spec: the job.
        model: canonical graph file.
        dataset: the user's data, None for generated inputs.
        cache: directory of compiled operators and known accuracies, shared by all workers of a machine.

    Raises:
        DatasetError: the data does not fit the model.
        SpecError: the platform names an unknown device.
    """

    def __init__(self, spec: JobSpec, model: Path, dataset: Path | None, cache: Path) -> None:
        self.spec = spec
        graph = Graph.load(model)
        self._devices = platform_devices(spec.platform)
        self._platform = connected_devices(spec.platform)
        self._clock_mhz = clock_mhz(spec.platform)
        self._space = build_space(spec, graph)
        self._data = evaluation_data(spec, graph, dataset)
        self._judge = Judge(spec, graph, self._data, cache)
        self._builder = Builder(spec, graph, self._data)
        self._cache = BuildCache(cache)

    def evaluate(self, candidate: Candidate, on_stage: Callable[[str], None] = lambda name: None) -> TrialResult:
        """Climb the ladder with one candidate.

        Args:
            candidate: any candidate; one outside the space is infeasible.
            on_stage: told the name of each rung when it begins.

        Raises:
            DesignDefect: the RTL differs from the reference, or blocks itself.
            ToolError: a native tool failed.
        """
        climb = _Climb(on_stage)
        try:
            with climb.rung("legality"):
                design = self._legal(candidate)
            with climb.rung("estimate"):
                self._estimate(climb, design)
            with climb.rung("accuracy"):
                self._accuracy(climb, candidate, design)
            with climb.rung("build"):
                climb.cached = self._compile(design)
            with climb.rung("simulate"):
                measured = self._simulate(climb, design)
        except _Infeasible as reason:
            return self._result(climb, "infeasible", str(reason), None)
        exact = Exact(measured.compared_words, measured.mismatched_words, measured.samples)
        violated = self._violated(climb)
        return self._result(climb, "infeasible" if violated else "complete", violated, exact)

    def _result(self, climb: _Climb, state: Any, reason: str | None, exact: Exact | None) -> TrialResult:
        origin = provenance(self.spec) | {
            "metric": self._judge.metric,
            "evaluation_data": "generated inputs" if self._data.generated else "dataset",
            "evaluation_samples": self._data.samples,
        }
        return TrialResult(
            state, reason, climb.metrics, exact, climb.constraints, tuple(climb.stages), origin,
            climb.detail, climb.clock_source,
        )  # fmt: skip

    def _legal(self, candidate: Candidate) -> Design:
        problem = self._space.contains(candidate)
        try:
            if problem is None:
                return self._builder.design(candidate)
        except (IllegalGraph, IllegalParameters) as error:
            problem = str(error)
        raise _Infeasible(f"no legal design: {problem}")

    def _estimate(self, climb: _Climb, design: Design) -> None:
        found = estimate_design(design, self._devices)
        climb.metrics |= found.metrics()
        climb.metrics["clock_mhz"], climb.clock_source = self._clock_mhz, "requested"
        climb.metrics["est_power_w"] = power_w(design, found, self._devices, self._clock_mhz)
        climb.detail["devices"] = self._device_detail(found)
        climb.detail["hops"] = hop_detail(design, self._platform)
        climb.constraints |= violations(self.spec, climb.metrics)
        over = overflows(found, self._devices)
        climb.constraints |= over
        # The slowest operator bounds the interval from below: no simulation can meet what this misses.
        climb.constraints |= certain_violations(self.spec, self._speed_metrics(climb, found.interval_cycles))
        if over:
            names = ", ".join(f"{name} by {amount:g}" for name, amount in over.items())
            raise _Infeasible(
                f"the design does not fit: over {names}; use fewer lanes, narrower formats or more devices"
            )
        self._stop_if_violated(climb)

    def _speed_metrics(self, climb: _Climb, interval: int) -> dict[str, float]:
        """What follows from an interval in cycles, at the power estimated before."""
        return {
            "meas_interval_cycles": float(interval),
            "throughput_per_s": self._clock_mhz * 1e6 / interval,
            "est_energy_uj_per_inference": energy_uj(climb.metrics["est_power_w"], interval, self._clock_mhz),
        }

    def _accuracy(self, climb: _Climb, candidate: Candidate, design: Design) -> None:
        figures, climb.cached = self._judge.figures(candidate, design)
        climb.metrics |= {"accuracy": self._judge.worst(figures), "float_accuracy": self._judge.float_accuracy}
        climb.detail["outputs"] = self._judge.detail(figures)
        climb.constraints |= violations(self.spec, climb.metrics)
        self._stop_if_violated(climb)

    def _simulate(self, climb: _Climb, design: Design) -> Measurement:
        words, expected = self._stimulus(design)
        measured = simulate(design, words, self._cache, self._options(design), expected)
        _require_exact(measured)
        assert measured.interval_cycles is not None
        climb.metrics |= {
            "meas_latency_cycles": float(measured.latency_cycles),
            "latency_ns": measured.latency_cycles * 1000 / self._clock_mhz,
            **self._speed_metrics(climb, measured.interval_cycles),
        }
        climb.constraints |= violations(self.spec, climb.metrics)
        climb.detail["operators"] = _operator_detail(design, measured)
        return measured

    def _compile(self, design: Design) -> bool:
        """Have every operator compiled; whether all were there already."""
        return all(known for _, known in self._cache.operators([i.operator for i in design.instances]))

    def _stimulus(self, design: Design) -> tuple[dict[str, Words], dict[str, Words]]:
        samples = min(max(self.spec.simulation.samples, _LEAST_SAMPLES), self._data.samples)
        part = self._data.part(0, samples)
        if samples < _LEAST_SAMPLES:
            part = {name: array.repeat(_LEAST_SAMPLES, axis=0) for name, array in part.items()}
        words = input_words(design, part)
        return words, run_reference(design, words)

    def _options(self, design: Design) -> SimulationOptions:
        # No operator is silent for longer than its own interval, nor a link for longer than its flight time.
        slowest = max(max(c.interval, c.latency) for c in (i.operator.cycles() for i in design.instances))
        return SimulationOptions(
            output_stalls=self.spec.simulation.backpressure,
            seed=self.spec.search.seed,
            quiet_cycles=_QUIET_CYCLES + 4 * slowest,
        )

    def _violated(self, climb: _Climb) -> str | None:
        texts = [f"{name} by {amount:g}" for name, amount in climb.constraints.items() if amount > 0]
        return f"constraints violated: {', '.join(texts)}" if texts else None

    def _stop_if_violated(self, climb: _Climb) -> None:
        reason = self._violated(climb)
        if reason:
            raise _Infeasible(reason)

    def _device_detail(self, found: Estimate) -> list[dict[str, Any]]:
        details = []
        for index, resources in sorted(found.devices.items()):
            device, used = self._devices[index], resource_metrics(resources)
            share = {n: round(u / c, 4) for n, u in used.items() if (c := device.capacity()[n]) > 0}
            details.append(
                {"index": index, "device": device.name, "family": device.family, "used": used, "share": share}
            )
        return details

    def export(self, candidate: Candidate, result: TrialResult, out_zip: Path) -> None:
        """Write the bundle of a complete candidate: simulated again, since the record keeps figures and no words.

        Raises:
            DesignDefect: the simulation is not exact, or its cycles are not those of ``result``.
        """
        design = self._builder.design(candidate)
        words, expected = self._stimulus(design)
        options = self._options(design)
        measured = simulate(design, words, self._cache, options, expected)
        _require_exact(measured)
        for name, cycles in _cycles(measured).items():
            if name in result.metrics and result.metrics[name] != cycles:
                raise DesignDefect(f"{name} is {cycles} now, but {result.metrics[name]:g} is on record")
        write_bundle(out_zip, design, words, measured, options, expected)

    def sign_off(self, candidate: Candidate, result: TrialResult) -> dict[str, Any]:
        """Build the whole design as one model and compare it with the composed simulation, transfer by transfer.

        Returns:
            ``equal``, what was compared, the cycles of both, and the first difference if there is one.
        """
        design = self._builder.design(candidate)
        words, expected = self._stimulus(design)
        start = time.perf_counter()
        found = sign_off(design, words, self._cache, self._options(design), expected)
        recorded = {n: result.metrics[n] for n in _cycles(found.composed) if n in result.metrics}
        same = recorded == {n: c for n, c in _cycles(found.composed).items() if n in recorded}
        return {
            "equal": bool(found.equal and same),
            "transfers": found.transfers,
            "difference": found.difference,
            "composed": _cycles(found.composed),
            "monolithic": _cycles(found.monolithic),
            "recorded": recorded,
            "compared_words": found.monolithic.compared_words,
            "mismatched_words": found.monolithic.mismatched_words,
            "seconds": round(time.perf_counter() - start, 3),
        }


def _cycles(measured: Measurement) -> dict[str, float]:
    cycles = {"meas_latency_cycles": float(measured.latency_cycles)}
    if measured.interval_cycles is not None:
        cycles["meas_interval_cycles"] = float(measured.interval_cycles)
    return cycles


def _require_exact(measured: Measurement) -> None:
    if not measured.exact:
        raise DesignDefect(measured.deadlock or str(measured.first_wrong or "no word was compared"))


def _operator_detail(design: Design, measured: Measurement) -> list[dict[str, Any]]:
    details = []
    for instance in design.instances:
        model, active = instance.operator.cycles(), measured.activity[instance.name]
        details.append(
            {
                "name": instance.name,
                "source": instance.source,
                "device": instance.device,
                **instance.operator.describe(),
                "model_interval_cycles": model.interval,
                "model_latency_cycles": model.latency,
                **vars(active),
            }
        )
    return details
