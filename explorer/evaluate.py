"""The face of evaluation that workers use: candidates of a job in; results, bundles, sign-offs, routed clocks out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.accuracy import Judge, evaluation_data
from explorer.candidate import Candidate
from explorer.choices import build_space
from explorer.errors import DesignDefect
from explorer.hardware import Builder
from explorer.platform import clock_mhz, connected_devices, platform_devices
from explorer.provenance import provenance
from explorer.result import Stage, TrialResult
from explorer.rungs.ladder import climb_ladder
from explorer.rungs.records import Records
from explorer.rungs.routing import Routing
from explorer.rungs.rung import Bench, Climb
from explorer.rungs.simulation import cycles, first_samples, options, require_exact, stimulus
from explorer.spec import JobSpec
from explorer.tensors import FloatTensors
from explorer.trace import chrome_trace
from hwgen.model.graph import Graph
from hwgen.simulation.activity import read_activity
from hwgen.simulation.build import BuildCache
from hwgen.simulation.bundle import write_bundle
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import simulate
from hwgen.synthesis.route import Router


class Evaluator:
    """Evaluates candidates of one job.

    Args:
        spec: the job.
        model: canonical graph file.
        dataset: the user's data, None for generated inputs.
        cache: directory of compiled operators and known findings, shared by all workers of a machine.

    Raises:
        DatasetError: the data does not fit the model.
        SpecError: the platform names an unknown device.
    """

    def __init__(self, spec: JobSpec, model: Path, dataset: Path | None, cache: Path) -> None:
        graph = Graph.load(model)
        data = evaluation_data(spec, graph, dataset)
        self._records = Records(cache)
        self._bench = Bench(
            spec,
            build_space(spec, graph),
            data,
            Judge(spec, graph, data),
            FloatTensors(graph, first_samples(spec, data)),
            Builder(spec, graph, data),
            platform_devices(spec.platform),
            connected_devices(spec.platform),
            clock_mhz(spec.platform),
            "requested",
            BuildCache(cache),
            Router(cache),
        )

    def evaluate(self, candidate: Candidate, on_stage: Callable[[str], None] = lambda name: None) -> TrialResult:
        """Climb the ladder with one candidate.

        Args:
            candidate: any candidate; one outside the space is infeasible.
            on_stage: told the name of each rung when it begins.

        Raises:
            DesignDefect: the RTL differs from the reference, or blocks itself.
            ToolError: a native tool failed.
        """
        climb = Climb(self._bench, candidate)
        reason, stages = climb_ladder(climb, self._records, on_stage)
        return TrialResult(
            "complete" if reason is None else "infeasible",
            reason,
            climb.metrics,
            climb.exact,
            climb.constraints,
            stages,
            self._origin(),
            climb.detail,
            self._bench.clock_source if "clock_mhz" in climb.metrics else None,
        )

    def _origin(self) -> dict[str, Any]:
        bench = self._bench
        return provenance(bench.spec) | {
            "metric": bench.judge.metric,
            "evaluation_data": "generated inputs" if bench.data.generated else "dataset",
            "evaluation_samples": bench.data.samples,
        }

    def export(self, candidate: Candidate, result: TrialResult, out_zip: Path) -> None:
        """Write the bundle of a complete candidate: simulated again, since the record keeps figures and no words.

        Raises:
            DesignDefect: the simulation is not exact, or its cycles are not those of ``result``.
        """
        bench = self._bench
        design = bench.builder.design(candidate)
        words, expected = stimulus(bench, design)
        driven = options(bench, design)
        measured = simulate(design, words, bench.cache, driven, expected)
        _require_recorded(measured, result)
        parts = {index: device.open_flow for index, device in enumerate(bench.devices) if device.open_flow}
        write_bundle(out_zip, design, words, measured, driven, expected, parts=parts)

    def activity(self, candidate: Candidate, result: TrialResult, out: Path) -> None:
        """Write what each operator of a complete candidate did when, as Chrome trace JSON (``explorer.trace``).

        Raises:
            DesignDefect: the simulation is not exact, or its cycles are not those of ``result``.
        """
        bench = self._bench
        design = bench.builder.design(candidate)
        words, expected = stimulus(bench, design)
        noted = out.with_suffix(".windows")
        driven = replace(options(bench, design), activity=noted)
        measured = simulate(design, words, bench.cache, driven, expected)
        _require_recorded(measured, result)
        about = {"candidate": candidate.digest(), "samples": measured.samples, "cycles": measured.total_cycles}
        names = [device.name for device in bench.devices]
        out.write_text(json.dumps(chrome_trace(design, names, read_activity(noted), about)))
        noted.unlink()

    def sign_off(self, candidate: Candidate, result: TrialResult) -> dict[str, Any]:
        """Build the whole design as one model and compare it with the composed simulation, transfer by transfer.

        Returns:
            ``equal``, what was compared, the cycles of both, and the first difference if there is one.
        """
        bench = self._bench
        design = bench.builder.design(candidate)
        words, expected = stimulus(bench, design)
        start = time.perf_counter()
        found = sign_off(design, words, bench.cache, options(bench, design), expected)
        composed = cycles(found.composed)
        recorded = {name: result.metrics[name] for name in composed if name in result.metrics}
        same = all(composed[name] == value for name, value in recorded.items())
        return {
            "equal": bool(found.equal and same),
            "transfers": found.transfers,
            "difference": found.difference,
            "composed": composed,
            "monolithic": cycles(found.monolithic),
            "recorded": recorded,
            "compared_words": found.monolithic.compared_words,
            "mismatched_words": found.monolithic.mismatched_words,
            "seconds": round(time.perf_counter() - start, 3),
        }

    def route(self, candidate: Candidate, result: TrialResult) -> dict[str, Any]:
        """Place and route a complete candidate, each device for the part that the catalogue names.

        Returns:
            ``routed``: part, clock, critical path, area and bitstream, None where there is no routed clock, and then
            ``reason``; ``devices`` one by one; ``metrics`` that the clock changes, ``clock_source``, the ``stage``.
        """
        climb = Climb(self._bench, candidate, metrics=dict(result.metrics))
        start = time.perf_counter()
        found = Routing().run(climb)
        stage = Stage(Routing.name, round(time.perf_counter() - start, 6), found.cached)
        return {
            **found.detail,
            "reason": found.reason,
            "metrics": dict(found.metrics),
            "clock_source": self._bench.clock_source if found.detail["routed"] is None else "routed",
            "stage": asdict(stage),
        }


def _require_recorded(measured: Measurement, result: TrialResult) -> None:
    """Raise DesignDefect unless a simulation is exact and has the cycles that are on record."""
    require_exact(measured)
    for name, found in cycles(measured).items():
        if name in result.metrics and result.metrics[name] != found:
            raise DesignDefect(f"{name} is {found} now, but {result.metrics[name]:g} is on record")
