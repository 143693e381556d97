"""Accuracy of candidates by the integer reference, beside the float model's, on the user's data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from explorer.dataset import Dataset, load
from explorer.errors import DatasetError, SpecError
from explorer.inputs import generated_inputs
from explorer.outputs import judged_outputs, targets_of
from explorer.quality import METRICS, default_metric, measure
from explorer.spec import JobSpec
from hwgen.hardware.design import Design, run_reference
from hwgen.lowering.words import output_arrays, words_in
from hwgen.model.float_reference import apply_output_layout, evaluate
from hwgen.model.graph import Graph
from hwgen.model.outputs import ModelOutput
from hwgen.model.software import apply_tail, is_distribution, scores
from hwgen.numbers.arrays import Array

Figures: TypeAlias = dict[str, float]  # of each judged output by its name

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
    return Dataset(generated_inputs(graph, samples, spec.search.seed), {}, generated=True)


def _require_distributions(metric: str, outputs: Sequence[ModelOutput]) -> None:
    """Perplexity is read from the scores, so a softmax of them must be what the model means."""
    for output in outputs:
        if metric == "perplexity" and not is_distribution(output):
            kinds = ", ".join(step.operator for step in output.steps)
            raise SpecError(
                "/metric",
                "perplexity needs one distribution over the classes: raw logits, or one Softmax or LogSoftmax over one "
                f"axis; the output {output.name!r} ends in {kinds}",
            )


class Judge:
    """Measures quality for one job: figures depend on the quantization plan alone, so equal plans share one.

    Every output that the job judges has a figure; the job's ``accuracy`` is the worst of them, so that a bound on it
    holds for each output. An output is judged as the model gives it: behind its software tail.

    Args:
        spec: the job; its ``metric`` None means the default for the data.
        graph: the model.
        data: evaluation data.

    Attributes:
        identity: digest of the job's part of what a figure depends on; the candidate's part is its quantization plan.

    Raises:
        SpecError: the job names an output or a metric that the model does not have.
        DatasetError: targets are missing.
    """

    def __init__(self, spec: JobSpec, graph: Graph, data: Dataset) -> None:
        self._graph = graph
        self._data = data
        self.outputs = judged_outputs(spec, graph)
        self._targets = targets_of(self.outputs, graph, data.targets)
        self.metric = spec.metric or self._default_metric()
        _require_distributions(self.metric, self.outputs)
        job: list[object] = [
            spec.model,
            spec.dataset,
            self.metric,
            spec.output,
            spec.space.rounding,
            spec.space.per_channel,
        ]
        if data.generated:
            job += [spec.search.seed, data.samples]
        self.identity = hashlib.sha256(json.dumps(job).encode()).hexdigest()

    @cached_property
    def float_arrays(self) -> dict[int, Array]:
        """By index of the graph's outputs, the float model's arrays on all samples, in the source model's shapes.

        Raises:
            DatasetError: an output is not finite on some sample.
        """
        layouts = {output.index: self._graph.outputs[output.index] for output in self.outputs}
        elements = sum(n.shape.elements for n in self._graph.nodes)
        chunk = max(1, min(_LARGEST_CHUNK, _CHUNK_ELEMENTS // max(1, elements)))
        parts: dict[int, list[Array]] = {index: [] for index in layouts}
        for start in range(0, self._data.samples, chunk):
            tensors = evaluate(self._graph, self._data.part(start, start + chunk))
            for index, layout in layouts.items():
                parts[index].append(apply_output_layout(layout, tensors[layout.node]))
        arrays = {index: np.concatenate(found) for index, found in parts.items()}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise DatasetError(
                "the model's own outputs overflow float32 on the evaluation data; scale it or the inputs"
            )
        return arrays

    @cached_property
    def float_figures(self) -> Figures:
        """The metric of the float model itself, for each judged output."""
        return self._measure(self.float_arrays)

    @property
    def float_accuracy(self) -> float:
        """The worst of ``float_figures``."""
        return self.worst(self.float_figures)

    def worst(self, figures: Figures) -> float:
        """The figure that a job is judged by: of several outputs the worst."""
        return (min if METRICS[self.metric].larger_is_better else max)(figures.values())

    def detail(self, figures: Figures) -> list[dict[str, str | float]]:
        """Each judged output with its figure and the float model's."""
        return [
            {"name": name, "accuracy": value, "float_accuracy": self.float_figures[name]}
            for name, value in figures.items()
        ]

    def figures(self, design: Design) -> Figures:
        """The metric of a candidate by the integer reference, for each judged output.

        Args:
            design: its hardware graph; lanes and devices do not change words.
        """
        return self._measure(self._outputs(design))

    def _default_metric(self) -> str:
        """The default for the data of every judged output."""
        found = {}
        for output in self.outputs:
            ranked, _ = scores(output, self.float_arrays[output.index])
            found[output.name] = default_metric(ranked, None if self._targets is None else self._targets[output.name])
        if len(set(found.values())) > 1:
            texts = ", ".join(f"{name} {metric}" for name, metric in found.items())
            raise SpecError(
                "/metric",
                f"the targets of the outputs ask for different metrics ({texts}): name one, or the `output` to judge",
            )
        return next(iter(found.values()))

    def _measure(self, arrays: Mapping[int, Array]) -> Figures:
        """The metric of each judged output: over what the model gives, or over the scores behind it."""
        figures = {}
        for output in self.outputs:
            got, wanted = arrays[output.index], self.float_arrays[output.index]
            axis = None
            if METRICS[self.metric].reads_scores:
                (got, axis), (wanted, _) = scores(output, got), scores(output, wanted)
            else:
                got, wanted = apply_tail(output, got), apply_tail(output, wanted)
            targets = None if self._targets is None else self._targets[output.name]
            figures[output.name] = measure(self.metric, got, wanted, targets, axis)
        return figures

    def _outputs(self, design: Design) -> dict[int, Array]:
        elements = sum(s.type.tokens * s.type.features for s in design.streams)
        chunk = max(1, min(_LARGEST_CHUNK, _CHUNK_ELEMENTS // max(1, elements)))
        parts: dict[int, list[Array]] = {output.index: [] for output in self.outputs}
        for start in range(0, self._data.samples, chunk):
            words = run_reference(design, words_in(design, self._data.part(start, start + chunk)))
            values = output_arrays(self._graph, design, words)
            for index, found in parts.items():
                found.append(values[index])
        return {index: np.concatenate(found) for index, found in parts.items()}
