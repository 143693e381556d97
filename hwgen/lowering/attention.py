"""Parts of attention: products of two activations, softmax and layer normalisation."""

from __future__ import annotations

import numpy as np

from hwgen.hardware.operators.layer_norm import LayerNorm
from hwgen.hardware.operators.matmul import Matmul
from hwgen.hardware.operators.softmax import Softmax
from hwgen.lowering.parts import Lanes, Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Op


def matmul_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Scores or weighted sums of values, head by head."""
    assert node.result is not None and node.node.op is Op.MATMUL
    a, b = (graph.by_name[i] for i in node.inputs)
    heads, transpose_b = int(node.node.attributes["heads"]), bool(node.node.attributes["transpose_b"])  # type: ignore[arg-type]
    shape = (a.node.shape.tokens, heads, a.node.shape.features // heads, node.node.shape.features // heads)
    operator, contents = Matmul.design(
        shape, transpose_b, (lanes.in_lanes, lanes.out_lanes), a.format, b.format, node.result
    )
    return (Part("", operator, contents, {"a": 0, "b": 1}),)


def softmax_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Softmax over groups of consecutive features."""
    assert node.result is not None
    size, causal = int(node.node.attributes["size"]), bool(node.node.attributes["causal"])  # type: ignore[arg-type]
    shape = (node.node.shape.tokens, node.node.shape.features // size, size)
    source = graph.by_name[node.inputs[0]].format
    operator, contents = Softmax.design(shape, lanes.in_lanes, causal, source, node.result)
    return (Part("", operator, contents),)


def layer_norm_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Layer normalisation of each token."""
    assert node.result is not None
    shape, constants = node.node.shape, node.node.constants
    gamma = constants["gamma"].astype(np.float64)
    beta = constants["beta"].astype(np.float64)
    epsilon = float(node.node.attributes["epsilon"])  # type: ignore[arg-type]
    source = graph.by_name[node.inputs[0]].format
    operator, contents = LayerNorm.design(shape.tokens, lanes.in_lanes, gamma, beta, epsilon, source, node.result)
    return (Part("", operator, contents),)
