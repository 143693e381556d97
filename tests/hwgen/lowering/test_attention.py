"""Attention blocks through lowering: exact words, and no buffer too shallow for the stored operand of a product."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.hardware.operators.fifo import Fifo
from hwgen.lowering import lower
from hwgen.model.graph import Graph
from hwgen.model.kinds.layer_norm import LayerNorm
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.kinds.softmax import Softmax
from hwgen.simulation.build import BuildCache
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import STALL_PATTERNS, SimulationOptions, simulate
from tests.hwgen.networks import NetworkMaker, random_candidate

HEADS = 2


def attention_block(maker: NetworkMaker, x: str, causal: bool, heads: int = HEADS) -> str:
    """``x + linear(attention(layer_norm(x)))``."""
    shape = maker.shape(x)
    gamma, beta = np.ones(shape.features, np.float32), np.zeros(shape.features, np.float32)
    n = maker.put(LayerNorm(1e-5), x, gamma=gamma, beta=beta)
    q, k, v = (maker.linear(n, shape.features) for _ in range(3))
    a = maker.put(MatMul(heads, transpose_b=True), q, k)
    p = maker.put(Softmax(shape.tokens, causal), a)
    o = maker.put(MatMul(heads, transpose_b=False), p, v)
    return maker.add(x, maker.linear(o, shape.features))


def transformer(seed: int, tokens: int, blocks: int) -> Graph:
    maker = NetworkMaker(np.random.default_rng(seed))
    x = maker.input((tokens,), 8)
    for _ in range(blocks):
        x = attention_block(maker, x, causal=bool(seed % 2))
    return maker.graph(maker.linear(x, 3))


@pytest.mark.parametrize(
    ("seed", "tokens", "blocks"),
    [
        (0, 20, 1),
        *(pytest.param(s, t, 2, marks=pytest.mark.slow) for s, t in ((1, 6), (2, 40), (3, 15), (4, 24), (5, 33))),
    ],
)
def test_words_are_exact_and_the_fork_never_blocks(
    seed: int, tokens: int, blocks: int, build_cache: BuildCache
) -> None:
    sample = random_candidate(transformer(seed, tokens, blocks), seed, samples=5)
    design = lower(sample.quantized, sample.lanes, sample.devices)
    slowest = max(i.operator.cycles().interval for i in design.instances)
    for stalls in STALL_PATTERNS:
        options = SimulationOptions(output_stalls=stalls, input_stalls=stalls, quiet_cycles=20_000)
        result = simulate(design, sample.inputs, build_cache, options)
        assert result.exact, result.deadlock or result.first_wrong
        if stalls == "none":
            assert result.interval_cycles == slowest


def test_probabilities_wait_in_no_buffer_of_a_whole_sample(build_cache: BuildCache) -> None:
    sample = random_candidate(transformer(2, 40, 1), 2)
    design = lower(sample.quantized, sample.lanes, sample.devices)
    squares = [
        i.operator
        for i in design.instances
        if isinstance(i.operator, Fifo) and i.operator.stream.features == HEADS * 40
    ]
    assert all(fifo.depth < fifo.stream.beats / 2 for fifo in squares)


@pytest.mark.slow
def test_composed_equals_monolithic(build_cache: BuildCache) -> None:
    sample = random_candidate(transformer(0, 20, 1), 0, samples=4)
    design = lower(sample.quantized, sample.lanes, sample.devices)
    result = sign_off(design, sample.inputs, build_cache, SimulationOptions("random", "random", 1))
    assert result.equal, result.difference
