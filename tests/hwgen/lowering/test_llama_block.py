"""The gated half of a Llama layer: RMS norm, three linear layers, SiLU, a product and the residual sum."""

from __future__ import annotations

import pytest

from hwgen.lowering import lower
from hwgen.model.graph import Graph
from hwgen.simulation.build import BuildCache
from hwgen.simulation.simulate import SimulationOptions, simulate
from tests.hwgen.importer.support import N, compare, model, ops
from tests.hwgen.importer.test_normalization import weights
from tests.hwgen.networks import random_candidate

TOKENS, WIDTH, HIDDEN = 5, 6, 12


def block() -> Graph:
    """From ONNX, compared with onnxruntime."""
    nodes = [
        N("RMSNormalization", ["x", "gamma"], ["n"], axis=-1, epsilon=1e-5),
        N("MatMul", ["n", "gate"], ["g"]),
        N("Sigmoid", ["g"], ["s"]),
        N("Mul", ["g", "s"], ["a"]),
        N("MatMul", ["n", "up"], ["u"]),
        N("Mul", ["a", "u"], ["h"]),
        N("MatMul", ["h", "down"], ["d"]),
        N("Add", ["x", "d"], ["y"]),
    ]
    constants = {
        "gamma": weights(WIDTH),
        "gate": weights(WIDTH, HIDDEN, seed=1),
        "up": weights(WIDTH, HIDDEN, seed=2),
        "down": weights(HIDDEN, WIDTH, seed=3),
    }
    return compare(model(nodes, {"x": [1, TOKENS, WIDTH]}, constants=constants, opset=23))


@pytest.mark.parametrize("seed", range(2))
def test_words_are_exact_under_back_pressure(seed: int, build_cache: BuildCache) -> None:
    graph = block()
    assert sorted(ops(graph)) == ["add", "linear", "linear", "linear", "mul", "pointwise", "rms_norm"]
    sample = random_candidate(graph, seed)
    design = lower(sample.quantized, sample.lanes, sample.devices)
    result = simulate(design, sample.inputs, build_cache, SimulationOptions("random", "random", seed))
    assert result.exact, result.deadlock or result.first_wrong
