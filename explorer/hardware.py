"""Candidate to hardware graph: formats from the quantization plan, lanes and devices from the others."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from explorer.candidate import Candidate, NodeFormats
from explorer.dataset import Dataset
from explorer.platform import connected_devices
from explorer.spec import JobSpec
from hwgen.hardware.design import Design
from hwgen.lowering import (
    Calibration,
    Lanes,
    Precision,
    QuantizedGraph,
    QuantizeOptions,
    lower,
    quantize_graph,
    shard_graph,
)
from hwgen.model.graph import Graph
from hwgen.numbers.formats import Format, Rounding

_CALIBRATION_SAMPLES = 128
_CALIBRATION_ELEMENTS = 1 << 25
_KEPT_PLANS = 4


class Builder:
    """Builds the hardware graphs of one job's candidates; formats are calibrated once, plans are kept for a while.

    Args:
        spec: the job.
        graph: its model.
        data: calibration takes its first samples.
    """

    def __init__(self, spec: JobSpec, graph: Graph, data: Dataset) -> None:
        self.graph = graph
        self._options = QuantizeOptions(
            rounding=Rounding[spec.space.rounding.upper()], per_channel=spec.space.per_channel
        )
        elements = sum(n.shape.elements for n in graph.nodes)
        samples = max(1, min(_CALIBRATION_SAMPLES, data.samples, _CALIBRATION_ELEMENTS // max(1, elements)))
        self._calibration = Calibration.collect(graph, data.part(0, samples))
        self._platform = connected_devices(spec.platform)
        self._plans: OrderedDict[str, QuantizedGraph] = OrderedDict()

    def quantized(self, plan: Mapping[str, NodeFormats]) -> QuantizedGraph:
        """The graph with the formats of a plan and integer constants."""
        key = plan_digest(plan)
        if key not in self._plans:
            precisions = {
                name: Precision(None if f.weight is None else Format.parse(f.weight), Format.parse(f.activation))
                for name, f in plan.items()
            }
            self._plans[key] = quantize_graph(self.graph, precisions, self._calibration, self._options)
            while len(self._plans) > _KEPT_PLANS:
                self._plans.popitem(last=False)
        self._plans.move_to_end(key)
        return self._plans[key]

    def design(self, candidate: Candidate) -> Design:
        """The hardware graph of a candidate.

        Raises:
            IllegalGraph, IllegalParameters: the candidate is no legal design.
        """
        lanes = {name: Lanes(p.in_lanes, p.out_lanes) for name, p in candidate.parallelism.items()}
        name = "design_" + candidate.digest().removeprefix("sha256:")[:12]
        graph = shard_graph(self.quantized(candidate.quantization), candidate.ways)
        return lower(graph, lanes, candidate.partition, self._platform, name)


def plan_digest(plan: Mapping[str, NodeFormats]) -> str:
    """SHA-256 of a quantization plan, in hexadecimal."""
    entries: dict[str, Any] = {name: [f.weight, f.activation] for name, f in plan.items()}
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
