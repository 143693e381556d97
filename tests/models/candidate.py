"""One candidate of an imported model: formats, lanes and one device chosen by a simple rule, lowered to a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.hardware.design import Design
from hwgen.hardware.streams import Words
from hwgen.lowering import (
    Calibration,
    LaneChoice,
    Lanes,
    Precision,
    lane_choices,
    lower,
    precision_choices,
    quantize_graph,
)
from hwgen.model.float_reference import apply_input_layout
from hwgen.model.graph import Graph
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, carrier, quantize


@dataclass(frozen=True)
class Plan:
    """One format for all weights, one for all activations, and the most lanes that an operator gets on either side."""

    weights: str
    activations: str
    most_lanes: int


def graph_inputs(graph: Graph, data: Array) -> dict[str, Array]:
    """Samples ``(samples, …)`` in the layout of the source model as tensors of the one input node."""
    (layout,) = graph.inputs
    return {layout.node: apply_input_layout(layout, graph.node(layout.node), data)}


def candidate(graph: Graph, plan: Plan, calibration: Mapping[str, Array]) -> Design:
    """The design of a plan on one device."""
    precisions = {
        name: Precision(
            Format.parse(plan.weights) if choice.has_weight else None,
            Format.parse(choice.fixed_activation or plan.activations),
        )
        for name, choice in precision_choices(graph).items()
    }
    quantized = quantize_graph(graph, precisions, Calibration.collect(graph, calibration))
    blocks = [16] if "mx" in plan.weights else []
    lanes = {name: _lanes(choice, plan.most_lanes) for name, choice in lane_choices(graph, blocks).items()}
    return lower(quantized, lanes, {})


def _lanes(choice: LaneChoice, most: int) -> Lanes:
    if choice.tied:
        tied = max(n for n in choice.in_lanes if n <= most)
        return Lanes(tied, tied)
    return Lanes(max(n for n in choice.in_lanes if n <= most), max(n for n in choice.out_lanes if n <= most))


def input_words(design: Design, inputs: Mapping[str, Array]) -> dict[str, Words]:
    """The words that drive a design with some samples."""
    words = {}
    for stream in design.inputs:
        array = inputs[stream.name]
        shape = (len(array), stream.type.tokens, stream.type.features)
        words[stream.name] = Words(np.asarray(quantize(array, carrier(stream.type.format))).reshape(shape))
    return words
