"""Buffers in deep networks: what they hold follows from their own fork and join, not from what lies before."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hwgen.hardware.design import Design
from hwgen.hardware.operators.fifo import Fifo
from hwgen.lowering import Calibration, Lanes, Precision, lane_choices, lower, precision_choices, quantize_graph
from hwgen.model.graph import Graph
from hwgen.numbers.formats import Format, IntFormat
from tests.hwgen.lowering.test_attention import attention_block
from tests.hwgen.networks import NetworkMaker

TOKENS, FEATURES = 16, 8


def transformer_layers(layers: int) -> Graph:
    """Attention and a two-layer MLP, each around a residual connection."""
    maker = NetworkMaker(np.random.default_rng(0))
    x = maker.input((TOKENS,), FEATURES)
    for _ in range(layers):
        x = attention_block(maker, x, causal=True)
        x = maker.add(x, maker.linear(maker.relu(maker.linear(x, 4 * FEATURES)), FEATURES))
    return maker.graph(maker.linear(x, 3))


def lowered(graph: Graph) -> Design:
    """The design with two lanes and eight bits everywhere."""
    eight = IntFormat(8, True)
    plan = {
        name: Precision(eight if c.has_weight else None, Format.parse(c.fixed_activation or "int8"))
        for name, c in precision_choices(graph).items()
    }
    data = {"input0": np.random.default_rng(1).normal(0, 1, (4, TOKENS, FEATURES)).astype(np.float32)}
    quantized = quantize_graph(graph, plan, Calibration.collect(graph, data))
    wanted = {name: Lanes(min(2, c.in_lanes[-1]), 1 if c.out_lanes[-1] == 3 else 2)
              for name, c in lane_choices(graph).items()}  # fmt: skip
    return lower(quantized, wanted, {})


def depths(design: Design) -> Counter[int]:
    """How many buffers of each depth a design has."""
    return Counter(i.operator.depth for i in design.instances if isinstance(i.operator, Fifo))


def test_every_layer_of_a_stack_has_the_buffers_of_the_first_one() -> None:
    one, three = (depths(lowered(transformer_layers(layers))) for layers in (1, 3))
    assert one.total() >= 6
    assert three == Counter({depth: 3 * count for depth, count in one.items()})
