"""Whether any candidate can satisfy a job, asked when it is submitted, so that hopeless jobs never start.

``python -m explorer.check SPEC_JSON MODEL_GRAPH [DATASET]`` prints one JSON object.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from explorer.accuracy import Judge, evaluation_data
from explorer.candidate import Candidate
from explorer.choices import build_encoding
from explorer.encoding import Encoding
from explorer.errors import DatasetError, SpecError
from explorer.estimate import estimate_design, estimate_operator, overflows, resource_metrics
from explorer.hardware import Builder
from explorer.platform import clock_mhz, platform_devices
from explorer.power import energy_uj
from explorer.quality import METRICS
from explorer.samplers import missing_packages
from explorer.search import chosen_sampler
from explorer.space import activation_formats, weight_formats
from explorer.spec import Constraint, JobSpec, default_objectives
from hwgen.errors import IllegalGraph, IllegalParameters
from hwgen.model.graph import Graph
from hwgen.numbers.formats import Format
from hwgen.technology import Resources
from hwgen.technology.catalogue import Device

METRIC_NAMES = (
    "accuracy",
    "float_accuracy",
    "meas_latency_cycles",
    "meas_interval_cycles",
    "clock_mhz",
    "latency_ns",
    "throughput_per_s",
    "est_lut",
    "est_ff",
    "est_dsp",
    "est_bram_kb",
    "est_uram_kb",
    "est_power_w",
    "est_energy_uj_per_inference",
    "devices_used",
    "link_bytes_per_inference",
)


_RESOURCES = {"est_lut": "lut", "est_ff": "ff", "est_dsp": "dsp", "est_bram_kb": "bram_kb"}
_MARGIN = 0.75  # a node between tensors of different widths may need a little less than between equal ones
Bounds: TypeAlias = dict[str, float]


def check(spec: JobSpec, graph: Graph, dataset: Path | None) -> dict[str, Any]:
    """What the command prints: the size of the space and the budget, or every reason why the job cannot succeed."""
    errors = [*_name_errors(spec), *_sampler_errors(spec)]
    if errors:
        return refusal(errors)
    try:
        encoding = build_encoding(spec, graph)
        data = evaluation_data(spec, graph, dataset)
        judge = Judge(spec, graph, data)
        builder = Builder(spec, graph, data)
        builder.design(smallest_candidate(encoding))
        float_accuracy = judge.float_accuracy
    except SpecError as error:
        return refusal([error])
    except DatasetError as error:
        return refusal([SpecError("/model" if dataset is None else "/dataset", error.detail)])
    except (IllegalGraph, IllegalParameters) as error:
        return refusal([SpecError("/space", f"the smallest design is not legal: {error}")])
    if not spec.objectives:
        spec = replace(spec, objectives=default_objectives(judge.metric))
    errors = [*_fit_errors(spec, encoding, builder), *_direction_errors(spec, judge.metric)]
    errors += _contradictions(spec.constraints)
    errors += _constraint_errors(spec, attainable(spec, graph, judge, encoding, builder))
    if errors:
        return refusal(errors)
    size = encoding.space.size
    trials = min(spec.search.trials, size)
    return {
        "ok": True,
        "space_size": size,
        "trials_total": trials,
        "sampler": chosen_sampler(spec, size),
        "metric": judge.metric,
        "float_accuracy": float_accuracy,
    }


def refusal(errors: list[SpecError]) -> dict[str, Any]:
    """The answer to a job that no candidate can satisfy."""
    return {
        "ok": False,
        "detail": "no candidate can satisfy this job: " + "; ".join(e.detail for e in errors[:3]),
        "errors": [{"pointer": e.pointer, "detail": e.detail} for e in errors],
    }


def smallest_candidate(encoding: Encoding, most_devices: int | None = None) -> Candidate:
    """One lane everywhere, the narrowest formats, and all devices in use as far as there are operators."""
    devices = min(encoding.space.devices, len(encoding.space.units), most_devices or encoding.space.devices)
    cuts = encoding.balanced_cuts(0, devices) or ()
    return encoding.decode({f"cut:{d}": cut for d, cut in enumerate(cuts, start=1)})


def _name_errors(spec: JobSpec) -> Iterator[SpecError]:
    named = [(f"/objectives/{i}/metric", o.metric) for i, o in enumerate(spec.objectives)]
    named += [(f"/constraints/{i}/metric", c.metric) for i, c in enumerate(spec.constraints)]
    for pointer, metric in named:
        if metric not in METRIC_NAMES:
            yield SpecError(pointer, f"no trial has a metric {metric!r}; use one of {', '.join(METRIC_NAMES)}")
    if spec.metric is not None and spec.metric not in METRICS:
        yield SpecError("/metric", f"there is no quality metric {spec.metric!r}; use one of {', '.join(METRICS)}")
    elif spec.metric is not None and METRICS[spec.metric].needs_targets and spec.dataset is None:
        yield SpecError(
            "/metric", f"{spec.metric} compares with targets; give a dataset with targets, or use agreement"
        )


def _sampler_errors(spec: JobSpec) -> Iterator[SpecError]:
    missing = missing_packages(spec.search.sampler)
    if missing:
        yield SpecError("/search/sampler", f"the sampler needs {' and '.join(missing)}; install them or use tpe")
    legal = ", ".join(f"{kind} elements have {_span(Format.family(kind).widths)} bits" for kind in spec.space.formats)
    for side, formats in (("weight", weight_formats(spec.space)), ("activation", activation_formats(spec.space))):
        if not formats:
            yield SpecError(f"/space/{side}_bits", f"{legal}; none of the widths is among them")


def _span(widths: range) -> str:
    return f"{widths.start} to {widths.stop - 1}"


def _direction_errors(spec: JobSpec, metric: str) -> Iterator[SpecError]:
    """An objective that asks for a worse model is a mistake, not a wish."""
    better = "maximize" if METRICS[metric].larger_is_better else "minimize"
    for index, objective in enumerate(spec.objectives):
        if objective.metric == "accuracy" and objective.direction != better:
            yield SpecError(f"/objectives/{index}/direction", f"accuracy is the metric {metric} here; {better} it")


def _fit_errors(spec: JobSpec, encoding: Encoding, builder: Builder) -> Iterator[SpecError]:
    """A design that is too large on all devices and, where links take the room, on one alone."""
    devices = platform_devices(spec.platform)
    over = overflows(estimate_design(builder.design(smallest_candidate(encoding)), devices), devices)
    if over and len(devices) > 1:
        alone = estimate_design(builder.design(smallest_candidate(encoding, 1)), devices)
        over = over if overflows(alone, devices) else {}
    if over:
        amounts = ", ".join(f"{name} by {amount:g}" for name, amount in over.items())
        yield SpecError(
            "/platform/devices",
            f"even one lane per operator at the narrowest formats exceeds {amounts}; use larger or more devices",
        )


def _constraint_errors(spec: JobSpec, bounds: tuple[Bounds, Bounds]) -> Iterator[SpecError]:
    least, most = bounds
    for index, constraint in enumerate(spec.constraints):
        problem = _unmet(constraint, least.get(constraint.metric), most.get(constraint.metric))
        if problem:
            yield SpecError(f"/constraints/{index}", problem)


def _contradictions(constraints: Sequence[Constraint]) -> Iterator[SpecError]:
    """Constraints that leave no value of their metric, at the later of the two."""
    bounds: dict[str, tuple[float, float]] = {}
    for index, constraint in enumerate(constraints):
        low, high = bounds.get(constraint.metric, (-math.inf, math.inf))
        low = low if constraint.min is None else max(low, constraint.min)
        high = high if constraint.max is None else min(high, constraint.max)
        if low > high:
            detail = f"together with another constraint {constraint.metric} is at least {low:g} and at most {high:g}"
            yield SpecError(f"/constraints/{index}", detail)
        bounds[constraint.metric] = (low, high)


def _unmet(constraint: Constraint, least: float | None, most: float | None) -> str | None:
    if constraint.min is not None and most is not None and constraint.min > most:
        return f"{constraint.metric} is never more than {most:g}, but at least {constraint.min:g} is asked for"
    if constraint.max is not None and least is not None and constraint.max < least:
        return f"{constraint.metric} is never less than {least:g}, but at most {constraint.max:g} is asked for"
    return None


def attainable(
    spec: JobSpec, graph: Graph, judge: Judge, encoding: Encoding, builder: Builder
) -> tuple[Bounds, Bounds]:
    """Bounds that hold for every candidate: (least, greatest) by metric; absent where there is none.

    They are sound, not tight: a job that passes may still find no feasible candidate.
    """
    devices = platform_devices(spec.platform)
    fastest = encoding.levels[-1]
    least = {name: 0.0 for name in METRIC_NAMES if name not in ("accuracy", "float_accuracy")}
    clock, cycles, power = (
        clock_mhz(spec.platform),
        float(least_latency(graph, encoding)),
        min(d.static_w for d in devices),
    )
    least |= {"devices_used": 1.0, "clock_mhz": clock, "meas_interval_cycles": float(fastest), "est_power_w": power,
              "est_energy_uj_per_inference": energy_uj(power, fastest, clock),
              "meas_latency_cycles": cycles, "latency_ns": cycles * 1000 / clock}  # fmt: skip
    if any(c.metric in _RESOURCES and c.max is not None for c in spec.constraints):
        least |= _least_resources(encoding, builder, devices)
    most = {"devices_used": float(len(devices)), "clock_mhz": clock, "est_uram_kb": 0.0}
    most["throughput_per_s"] = clock * 1e6 / fastest
    if len(devices) == 1:
        most["link_bytes_per_inference"] = 0.0
    for metric, resource in _RESOURCES.items():
        most[metric] = sum(d.capacity()[resource] for d in devices)
    quality = METRICS[judge.metric]
    ends = (quality.worst, quality.best) if quality.larger_is_better else (quality.best, quality.worst)
    for bounds, end in zip((least, most), ends, strict=True):
        bounds["float_accuracy"] = judge.float_accuracy
        if end is not None:
            bounds["accuracy"] = end
    return least, most


def least_latency(graph: Graph, encoding: Encoding) -> int:
    """Cycles from the first input beat to the last output beat, both counted, that no candidate undercuts.

    Each operator with lanes is a module of its own in every candidate, and its outputs come from registers: the
    shortest way through the graph takes a cycle for each of them.
    """
    modules = {node.name for node in encoding.space.nodes if node.lanes}
    passed: dict[str, int] = {}
    for node in graph.nodes:
        passed[node.name] = min((passed[source] for source in node.inputs), default=0) + (node.name in modules)
    return 1 + min(passed[layout.node] for layout in graph.outputs)


def _least_resources(encoding: Encoding, builder: Builder, devices: Sequence[Device]) -> Bounds:
    """Least resources of a one-lane design: per node the best of all uniform formats and families, less a margin."""
    needs: dict[str, list[dict[str, float]]] = {}
    nodes = encoding.space.nodes
    weights = {Format.parse(text).element_bits for node in nodes for text in node.weights} or {8}
    activations = {Format.parse(text).element_bits for node in nodes for text in node.activations}
    for weight, activation in itertools.product(sorted(weights), sorted(activations)):
        design = builder.design(encoding.decode(encoding.uniform(weight, activation)))
        for device in {device.family: device for device in devices}.values():
            sums: dict[str, Resources] = {}
            for instance in design.instances:
                priced = estimate_operator(instance.operator, device)
                sums[instance.source] = sums.get(instance.source, Resources()) + priced
            for node, resources in sums.items():
                needs.setdefault(node, []).append(resource_metrics(resources, "est_"))
    return {metric: _MARGIN * sum(min(f[metric] for f in found) for found in needs.values()) for metric in _RESOURCES}


def main(arguments: list[str]) -> None:
    """Command line: SPEC_JSON MODEL_GRAPH [DATASET]."""
    spec = JobSpec.from_json(json.loads(Path(arguments[0]).read_text("utf-8")))
    dataset = Path(arguments[2]) if len(arguments) > 2 else None
    try:
        answer = check(spec, Graph.load(Path(arguments[1])), dataset)
    except IllegalGraph as error:
        answer = refusal([SpecError("/model", str(error))])
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
