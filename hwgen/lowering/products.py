"""Parts of linear layers, convolutions and products of two activations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.operators.to_mx import ToMx
from hwgen.hardware.operators.window import matvec_weights
from hwgen.lowering.choices import is_depthwise
from hwgen.lowering.parts import Lanes, Part
from hwgen.lowering.pools import depthwise_parts
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.lowering.windows import axes_of, window_part
from hwgen.model.graph import Op
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format


def product_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Linear or convolution: optional conversion to shared exponents, optional window, then the products."""
    if node.node.op is Op.LINEAR:
        tokens, features = node.node.shape.tokens, node.node.constants["weight"].shape[1]
        convert = _to_mx(graph, node, lanes.in_lanes, tokens, features)
        weights = {k: v[None] for k, v in node.constants.items() if k.startswith("weight")}
        return (*convert, _matvec(graph, node, lanes, tokens, weights, _feed(convert)))
    if is_depthwise(node.node):
        return depthwise_parts(graph, node, lanes)
    return _convolution(graph, node, lanes)


def _convolution(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    rows, columns = axes_of(graph, node)
    channels = graph.by_name[node.inputs[0]].node.shape.features
    groups = _groups(node)
    convert = _to_mx(graph, node, lanes.in_lanes, rows.size * columns.size, channels)
    parts = list(convert)
    pointwise = all((a.kernel, a.stride, a.before, a.after) == (1, 1, 0, 0) for a in (rows, columns))
    if not pointwise:
        parts.append(window_part(rows, columns, channels, lanes.in_lanes, _read_format(graph, node), 0, _feed(convert)))
    weights = {
        k: matvec_weights(v, groups, lanes.in_lanes) for k, v in node.constants.items() if k.startswith("weight")
    }
    parts.append(_matvec(graph, node, lanes, rows.outputs * columns.outputs, weights, _feed(parts)))
    return tuple(parts)


def _matvec(
    graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes, tokens: int, weights: dict[str, Array], feed: int | str
) -> Part:
    assert node.result is not None and node.weight is not None
    groups, outputs, inputs = weights["weight"].shape
    shift = node.constants["shift"]
    operator = Matvec(
        tokens, groups, inputs, outputs, lanes.in_lanes, lanes.out_lanes, _read_format(graph, node), node.weight,
        node.acc_bits, node.result, shift_bits(shift), shift.ndim == 0,
    )  # fmt: skip
    contents = {
        **weights,
        "bias": node.constants["bias"].reshape(groups, outputs),
        "shift": shift if shift.ndim == 0 else shift.reshape(groups, outputs),
    }
    return Part("", operator, contents, {"in": feed})


def _read_format(graph: QuantizedGraph, node: QuantizedNode) -> Format:
    return node.read_as[0] or graph.by_name[node.inputs[0]].format


def _to_mx(graph: QuantizedGraph, node: QuantizedNode, lanes: int, tokens: int, features: int) -> tuple[Part, ...]:
    target = node.read_as[0]
    if target is None:
        return ()
    source = graph.by_name[node.inputs[0]].format
    shift = np.array(source.fraction_bits - target.fraction_bits)
    operator = ToMx(tokens, features, lanes, source, target, shift_bits(shift))
    return (Part("mx", operator, {"shift": shift}),)


def _feed(parts: Sequence[Part]) -> int | str:
    return parts[-1].suffix if parts else 0


def _groups(node: QuantizedNode) -> int:
    groups = node.node.attributes["groups"]
    assert isinstance(groups, int)
    return groups
