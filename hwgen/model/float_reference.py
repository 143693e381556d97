"""Evaluates a graph in float32 with numpy: the float model that quantized designs are compared with.

Tensors carry a leading sample axis: ``(samples, *grid, features)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from hwgen.model.graph import Graph, InputLayout, Node, Op, OutputLayout
from hwgen.model.pointwise import POINTWISE
from hwgen.model.shapes import integer, integers, real
from hwgen.model.software import apply_tail
from hwgen.numbers.arrays import Array

# the patches of a convolution are built for as many samples at once as fit a processor cache: twice as fast as all
_CHUNK_ELEMENTS = 1 << 18

_Evaluate: TypeAlias = Callable[[Node, Sequence[Array]], Array]


def apply_input_layout(layout: InputLayout, node: Node, array: Array) -> Array:
    """A user's array ``(samples, *layout.shape)`` as the tensor ``(samples, *grid, features)`` of the input node.

    Raises:
        ValueError: the array has another shape.
    """
    if array.shape[1:] != layout.shape:
        raise ValueError(f"the input {layout.source!r} has the shape {layout.shape} per sample, not {array.shape[1:]}")
    ordered = array.transpose(0, *(1 + axis for axis in layout.order))
    return np.ascontiguousarray(ordered, dtype=np.float32).reshape(len(array), *node.shape.dims)


def apply_output_layout(layout: OutputLayout, array: Array) -> Array:
    """A tensor ``(samples, *grid, features)`` as the source model's array ``(samples, *layout.shape)``."""
    split = array.reshape(len(array), *layout.view)
    return split.transpose(0, *(1 + axis for axis in layout.order)).reshape(len(array), *layout.shape)


def evaluate(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of the graph for a batch of samples.

    Args:
        graph: an imported graph.
        inputs: for each input node its tensor ``(samples, *grid, features)`` (see ``apply_input_layout``).

    Returns:
        For each node its float32 tensor ``(samples, *grid, features)``.

    Raises:
        KeyError: an input is missing.
    """
    tensors: dict[str, Array] = {}
    samples = len(next(iter(inputs.values())))
    for node in graph.nodes:
        if node.op is Op.INPUT:
            tensors[node.name] = np.asarray(inputs[node.name], dtype=np.float32)
        elif node.op is Op.CONSTANT:
            value = node.constants["value"]
            tensors[node.name] = np.broadcast_to(value, (samples, *value.shape))
        else:
            tensors[node.name] = evaluate_node(node, [tensors[i] for i in node.inputs])
    return tensors


def evaluate_node(node: Node, operands: Sequence[Array]) -> Array:
    """The output ``(samples, *grid, features)`` of one node (not input or constant) from its operands."""
    result = _EVALUATE[node.op](node, operands)
    return np.asarray(result, dtype=np.float32).reshape(len(operands[0]), *node.shape.dims)


def run(graph: Graph, arrays: Mapping[str, Array]) -> list[Array]:
    """The model's own outputs, software tails included, from arrays by the source model's input names."""
    by_name = graph.by_name
    inputs = {i.node: apply_input_layout(i, by_name[i.node], arrays[i.source]) for i in graph.inputs}
    tensors = evaluate(graph, inputs)
    arrays_out = [apply_output_layout(o, tensors[o.node]) for o in graph.outputs]
    return [apply_tail(result, arrays_out[result.index]) for result in graph.results]


def _linear(node: Node, operands: Sequence[Array]) -> Array:
    return operands[0] @ node.constants["weight"].T + node.constants["bias"]


def padded(x: Array, pads: Sequence[int], value: float) -> Array:
    """An image batch ``(samples, rows, columns, features)`` with (top, left, bottom, right) padding."""
    top, left, bottom, right = pads
    if not any(pads):
        return x
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)


def window_slices(
    x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], grid: Sequence[int]
) -> list[Array]:
    """For each kernel position (row-major) the elements under it: ``(samples, *grid, features)`` views of ``x``."""
    slices = []
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            top, left = row * dilations[0], column * dilations[1]
            bottom, right = top + (grid[0] - 1) * strides[0] + 1, left + (grid[1] - 1) * strides[1] + 1
            slices.append(x[:, top : bottom : strides[0], left : right : strides[1]])
    return slices


def _conv(node: Node, operands: Sequence[Array]) -> Array:
    x, weight = operands[0], node.constants["weight"]
    elements = node.shape.tokens * math.prod(weight.shape[1:3]) * x.shape[-1]
    chunk = max(1, _CHUNK_ELEMENTS // elements)
    parts = [_conv_chunk(node, x[i : i + chunk]) for i in range(0, len(x), chunk)]
    return np.concatenate(parts) + node.constants["bias"]


def _conv_chunk(node: Node, x: Array) -> Array:
    weight, groups = node.constants["weight"], integer(node.attributes, "groups")
    outputs, kernel_h, kernel_w, per_group = weight.shape
    x = padded(x, integers(node.attributes, "pads", 4), 0.0)
    strides, dilations = integers(node.attributes, "strides", 2), integers(node.attributes, "dilations", 2)
    slices = window_slices(x, (kernel_h, kernel_w), strides, dilations, node.shape.grid)
    if per_group == 1 and outputs == groups:  # depthwise: no reduction over channels
        taps = weight.reshape(outputs, -1).T
        return np.asarray(sum(s * tap for s, tap in zip(slices, taps, strict=True)))
    patches = np.stack(slices, axis=3)  # (samples, rows, columns, taps, channels)
    if groups == 1:
        return np.asarray(patches.reshape(*patches.shape[:3], -1) @ weight.reshape(outputs, -1).T)
    grouped = patches.reshape(*patches.shape[:4], groups, per_group)
    by_group = grouped.transpose(4, 0, 1, 2, 3, 5).reshape(groups, -1, kernel_h * kernel_w * per_group)
    products = by_group @ weight.reshape(groups, outputs // groups, -1).transpose(0, 2, 1)
    return np.asarray(products.transpose(1, 0, 2).reshape(*patches.shape[:3], outputs))


def _pool_slices(node: Node, x: Array, value: float) -> list[Array]:
    """Slices of the padded image; behind the padding (ceil mode) come more elements of ``value``."""
    kernel, strides = integers(node.attributes, "kernel", 2), integers(node.attributes, "strides", 2)
    dilations = integers(node.attributes, "dilations", 2) if "dilations" in node.attributes else (1, 1)
    x = padded(x, integers(node.attributes, "pads", 4), value)
    overhang = [
        max(0, (n - 1) * s + d * (k - 1) + 1 - size)
        for n, s, d, k, size in zip(node.shape.grid, strides, dilations, kernel, x.shape[1:3], strict=True)
    ]
    x = padded(x, (0, 0, *overhang), value)
    return window_slices(x, kernel, strides, dilations, node.shape.grid)


def _max_pool(node: Node, operands: Sequence[Array]) -> Array:
    slices = _pool_slices(node, operands[0], -np.inf)
    result = slices[0].copy()
    for other in slices[1:]:
        np.maximum(result, other, out=result)
    return result


def _total(slices: Sequence[Array]) -> Array:
    total = slices[0].copy()
    for other in slices[1:]:
        total += other
    return np.asarray(total)


def average_counts(node: Node, rows: int, columns: int) -> Array:
    """Divisor of each window of an AVERAGE_POOL over an image of ``rows`` × ``columns``: ``(*grid, 1)``.

    Padding counts with ``count_include_pad``; positions behind the padding, which ceil mode reaches, never count.
    """
    ones = np.ones((1, rows, columns, 1), dtype=np.float32)
    if not node.attributes["count_include_pad"]:
        return np.asarray(_total(_pool_slices(node, ones, 0.0))[0])
    pads = integers(node.attributes, "pads", 4)
    filled = np.ones((1, rows + pads[0] + pads[2], columns + pads[1] + pads[3], 1), dtype=np.float32)
    bare = Node(node.name, node.op, node.inputs, node.shape, {**node.attributes, "pads": (0, 0, 0, 0)})
    return np.asarray(_total(_pool_slices(bare, filled, 0.0))[0])


def _average_pool(node: Node, operands: Sequence[Array]) -> Array:
    total = _total(_pool_slices(node, operands[0], 0.0))
    return np.asarray(total / average_counts(node, *operands[0].shape[1:3]))


def _binary(function: Callable[[Array, Array], Array]) -> _Evaluate:
    def rule(node: Node, operands: Sequence[Array]) -> Array:
        a, b = (_rows(o, node) for o in operands)
        return function(a, b)

    return rule


def _rows(operand: Array, node: Node) -> Array:
    """An operand as ``(samples, tokens or 1, features or 1)``."""
    features = operand.shape[-1]
    return operand.reshape(len(operand), -1, features)


def _softmax(node: Node, operands: Sequence[Array]) -> Array:
    x = operands[0]
    size = integer(node.attributes, "size")
    groups = x.reshape(len(x), node.shape.tokens, -1, size)
    if node.attributes["causal"]:
        keep = np.tri(node.shape.tokens, size, dtype=bool)[None, :, None, :]
        groups = np.where(keep, groups, np.float32(-np.inf))
    powers = np.exp(groups - groups.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _layer_norm(node: Node, operands: Sequence[Array]) -> Array:
    x = operands[0]
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(real(node.attributes, "epsilon")))
    return np.asarray(centred / deviation * node.constants["gamma"] + node.constants["beta"])


def _matmul(node: Node, operands: Sequence[Array]) -> Array:
    heads = integer(node.attributes, "heads")
    a, b = (o.reshape(len(o), math.prod(o.shape[1:-1]), heads, -1).transpose(0, 2, 1, 3) for o in operands)
    if node.attributes["transpose_b"]:
        b = b.transpose(0, 1, 3, 2)
    return np.asarray(np.matmul(a, b).transpose(0, 2, 1, 3))


def _embedding(node: Node, operands: Sequence[Array]) -> Array:
    return np.asarray(node.constants["table"][operands[0][..., 0].astype(np.int64)])


def _pointwise(node: Node, operands: Sequence[Array]) -> Array:
    return POINTWISE[str(node.attributes["function"])](operands[0], real(node.attributes, "alpha"))


def _clip(node: Node, operands: Sequence[Array]) -> Array:
    return np.clip(operands[0], np.float32(real(node.attributes, "low")), np.float32(real(node.attributes, "high")))


def _slice(node: Node, operands: Sequence[Array]) -> Array:
    axis, start, stop = (integer(node.attributes, key) for key in ("axis", "start", "stop"))
    return operands[0][(slice(None),) * (axis + 1) + (slice(start, stop),)]


def _concat(node: Node, operands: Sequence[Array]) -> Array:
    return np.concatenate(operands, axis=integer(node.attributes, "axis") + 1)


def _permute(node: Node, operands: Sequence[Array]) -> Array:
    view, order = node.attributes["view"], node.attributes["order"]
    if not isinstance(view, tuple) or not isinstance(order, tuple):
        raise TypeError("a permutation has lists of integers")
    return operands[0].reshape(-1, *view).transpose(0, *(1 + axis for axis in order))


_EVALUATE: Mapping[Op, _Evaluate] = {
    Op.LINEAR: _linear,
    Op.CONV: _conv,
    Op.MAX_POOL: _max_pool,
    Op.AVERAGE_POOL: _average_pool,
    Op.ADD: _binary(np.add),
    Op.MUL: _binary(np.multiply),
    Op.RELU: lambda node, operands: np.maximum(operands[0], np.float32(0)),
    Op.CLIP: _clip,
    Op.POINTWISE: _pointwise,
    Op.SOFTMAX: _softmax,
    Op.LAYER_NORM: _layer_norm,
    Op.MATMUL: _matmul,
    Op.EMBEDDING: _embedding,
    Op.CONCAT: _concat,
    Op.SLICE: _slice,
    Op.RESHAPE: lambda node, operands: operands[0],
    Op.PERMUTE: _permute,
}
