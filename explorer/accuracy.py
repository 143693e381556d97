"""Accuracy of candidates by the integer reference, beside the float model's, on the user's data."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from functools import cached_property
from pathlib import Path

import numpy as np

from explorer.candidate import Candidate
from explorer.dataset import Dataset, load
from explorer.errors import DatasetError
from explorer.hardware import input_words, output_values, plan_digest
from explorer.inputs import generated_inputs
from explorer.provenance import code_digest
from explorer.quality import default_metric, measure
from explorer.spec import JobSpec
from hwgen.hardware.design import Design, run_reference
from hwgen.model.float_reference import apply_output_layout, evaluate
from hwgen.model.graph import Graph
from hwgen.numbers.arrays import Array
from hwgen.simulation.eviction import mark_used

_GENERATED_SAMPLES = 256
_CHUNK_ELEMENTS = 1 << 23
_LARGEST_CHUNK = 1024


def evaluation_data(spec: JobSpec, graph: Graph, dataset: Path | None) -> Dataset:
    """The user's data, or generated inputs without targets where there is none.

    Raises:
        DatasetError: the data does not fit the model.
    """
    if dataset is not None:
        return load(dataset, graph)
    samples = max(_GENERATED_SAMPLES, spec.simulation.samples)
    return Dataset(generated_inputs(graph, samples, spec.search.seed), None, generated=True)


class Judge:
    """Measures quality for one job: figures depend on the quantization plan alone, so equal plans share one.

    Only the first output of a model is judged.

    Args:
        spec: the job; its ``metric`` None means the default for the data.
        graph: the model.
        data: evaluation data.
        cache: directory for figures, shared by all workers of a machine; None keeps them in memory.
    """

    def __init__(self, spec: JobSpec, graph: Graph, data: Dataset, cache: Path | None = None) -> None:
        self._graph = graph
        self._data = data
        self.metric = spec.metric or default_metric(self.float_outputs, data.targets)
        job: list[object] = [
            spec.model,
            spec.dataset,
            self.metric,
            spec.space.rounding,
            spec.space.per_channel,
            code_digest(),
        ]
        if data.generated:
            job += [spec.search.seed, data.samples]
        self._job = hashlib.sha256(json.dumps(job).encode()).hexdigest()[:24]
        self._cache = cache
        self._known: dict[str, float] = {}

    @cached_property
    def float_outputs(self) -> Array:
        """The float model's first output on all samples, in the source model's shape.

        Raises:
            DatasetError: an output is not finite on some sample.
        """
        layout = self._graph.outputs[0]
        elements = sum(n.shape.elements for n in self._graph.nodes)
        chunk = max(1, min(_LARGEST_CHUNK, _CHUNK_ELEMENTS // max(1, elements)))
        parts = []
        for start in range(0, self._data.samples, chunk):
            tensors = evaluate(self._graph, self._data.part(start, start + chunk))
            parts.append(apply_output_layout(layout, tensors[layout.node]))
        outputs = np.concatenate(parts)
        if not np.isfinite(outputs).all():
            raise DatasetError(
                "the model's own outputs overflow float32 on the evaluation data; scale it or the inputs"
            )
        return outputs

    @cached_property
    def float_accuracy(self) -> float:
        """The metric of the float model itself."""
        return self._measure(self.float_outputs)

    def accuracy(self, candidate: Candidate, design: Design) -> tuple[float, bool]:
        """The metric of a candidate by the integer reference, and whether it was known already.

        Args:
            candidate: its quantization plan identifies the figure.
            design: its hardware graph; lanes and devices do not change words.
        """
        key = f"{self._job}-{plan_digest(candidate.quantization)[:40]}"
        known = self._known.get(key)
        if known is None:
            known = self._stored(key)
        if known is not None:
            self._known[key] = known
            return known, True
        value = self._measure(self._outputs(design))
        self._known[key] = value
        self._store(key, value)
        return value, False

    def _measure(self, outputs: Array) -> float:
        return measure(self.metric, outputs, self.float_outputs, self._data.targets)

    def _outputs(self, design: Design) -> Array:
        elements = sum(s.type.tokens * s.type.features for s in design.streams)
        chunk = max(1, min(_LARGEST_CHUNK, _CHUNK_ELEMENTS // max(1, elements)))
        parts = []
        for start in range(0, self._data.samples, chunk):
            words = run_reference(design, input_words(design, self._data.part(start, start + chunk)))
            parts.append(output_values(self._graph, design, words)[0])
        return np.concatenate(parts)

    def _path(self, key: str) -> Path | None:
        return None if self._cache is None else self._cache / "accuracy" / key[:2] / f"{key}.json"

    def _stored(self, key: str) -> float | None:
        path = self._path(key)
        if path is None or not mark_used(path):
            return None
        value = float(json.loads(path.read_text("utf-8"))["value"])
        return value if math.isfinite(value) else None

    def _store(self, key: str, value: float) -> None:
        path = self._path(key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not by process id: in a sandbox of its own, every evaluator has the same.
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        scratch.write_text(json.dumps({"metric": self.metric, "value": value}), "utf-8")
        scratch.rename(path)
