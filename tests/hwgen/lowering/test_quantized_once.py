"""Quantization decides every width and constant; lowering only sets lanes and moves words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.hardware.operator import Operator
from hwgen.lowering.kinds.lowering import lowering_of
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.lower import node_parts
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.lowering.test_unchanged_designs import image_network
from tests.hwgen.networks import random_candidate

LANE_FIELDS = {"lanes", "in_lanes", "out_lanes", "stream", "source"}


def decided(operator: Operator) -> dict[str, object]:
    """An operator's fields without those that hold lanes."""
    return {key: value for key, value in vars(operator).items() if key not in LANE_FIELDS}


def nodes_with_parts(graph: Graph) -> tuple[QuantizedGraph, list[QuantizedNode]]:
    quantized = random_candidate(graph, 0).quantized
    return quantized, [n for n in quantized.nodes if n.parts and node_parts(quantized, n, Lanes(1, 1))]


@pytest.mark.parametrize("graph", [transformer(0, 8, 1), image_network(0)], ids=["transformer", "image"])
def test_lowering_keeps_what_quantization_decided(graph: Graph) -> None:
    quantized, nodes = nodes_with_parts(graph)
    assert len(nodes) >= 8
    for node in nodes:
        kind = node.node.kind
        choice = lowering_of(kind).lanes(kind, node.node, graph.operand_shapes(node.node), ())
        assert choice is not None
        widest = Lanes(choice.in_lanes[-1], choice.out_lanes[-1])
        made = {part.suffix: part for part in node_parts(quantized, node, widest)}
        for part in node.parts:
            assert decided(made[part.suffix].operator) == decided(part.operator)


def test_a_planted_accumulator_reaches_the_design() -> None:
    """There is no second opinion: what a quantized node says is what is built."""
    quantized, nodes = nodes_with_parts(transformer(0, 8, 1))
    for name in ("matmul", "linear"):
        node = next(n for n in nodes if n.node.kind.name == name)
        operator = replace(node.parts[-1].operator, acc_bits=47)  # type: ignore[type-var]
        planted = replace(node, parts=(*node.parts[:-1], replace(node.parts[-1], operator=operator)))
        assert vars(node_parts(quantized, planted, Lanes(1, 1))[-1].operator)["acc_bits"] == 47


def test_layer_norm_constants_are_integers_once_quantized() -> None:
    _, nodes = nodes_with_parts(transformer(0, 8, 1))
    (norm,) = (n for n in nodes if n.node.kind.name == "layer_norm")
    assert set(norm.contents) == {"gamma", "beta", "epsilon", "shift"}
    assert all(np.issubdtype(np.asarray(v).dtype, np.integer) for v in norm.contents.values())
