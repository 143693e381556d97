"""Parts of operators that move words: concatenation, slices, transpositions, embeddings."""

from __future__ import annotations

from math import prod

import numpy as np

from hwgen.hardware.operators.concat import Concat
from hwgen.hardware.operators.constant import Constant
from hwgen.hardware.operators.embedding import Embedding
from hwgen.hardware.operators.permute import Permute, beat_order
from hwgen.hardware.operators.slice import Slice
from hwgen.hardware.streams import StreamType
from hwgen.lowering.parts import Lanes, Part
from hwgen.lowering.pointwise_parts import cast_part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node, Op
from hwgen.numbers.requantize import Requantize


def concat_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Bring every input to the format of the result, then join them pairwise."""
    assert node.result is not None
    axis, along_features = _axis(node.node)
    parts: list[Part] = []
    joined: StreamType | None = None
    feed: int | str = 0
    for index, name in enumerate(node.inputs):
        source = graph.by_name[name]
        shape = source.node.shape
        stream = StreamType(shape.tokens, shape.features, lanes.in_lanes, source.format)
        here: int | str = index
        if source.node.op is Op.CONSTANT:  # a class token, say
            value = source.constants["value"].reshape(shape.tokens, shape.features)
            parts.append(Part(f"constant{index}", Constant(stream), {"value": np.asarray(value)}, {}))
            here = f"constant{index}"
        if source.format != node.format:
            parts.append(cast_part(f"cast{index}", stream, Requantize(node.format, node.result.rounding), here))
            here = f"cast{index}"
            stream = parts[-1].operator.outputs["out"]
        if joined is None:
            joined, feed = stream, here
            continue
        periods = shape.tokens if along_features else prod(shape.grid[:axis])
        operator = Concat(joined, stream, periods, along_features)
        suffix = "" if index == len(node.inputs) - 1 else f"join{index}"
        parts.append(Part(suffix, operator, {}, {"a": feed, "b": here}))
        joined, feed = operator.outputs["out"], suffix
    return tuple(parts)


def slice_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Keep a range of one axis."""
    axis, along_features = _axis(node.node)
    source = graph.by_name[node.inputs[0]]
    shape = source.node.shape
    start, stop = (int(node.node.attributes[key]) for key in ("start", "stop"))  # type: ignore[arg-type]
    periods = shape.tokens if along_features else prod(shape.grid[:axis])
    inner = 1 if along_features else prod(shape.grid[axis + 1 :])
    stream = StreamType(shape.tokens, shape.features, lanes.in_lanes, source.format)
    return (Part("", Slice(stream, periods, start * inner, stop * inner, along_features)),)


def embedding_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """Rows of a table by token id."""
    table = node.constants["table"]
    vocabulary, features = table.shape
    source = graph.by_name[node.inputs[0]].format
    operator = Embedding(node.node.shape.tokens, vocabulary, features, lanes.out_lanes, source, node.format)
    return (Part("", operator, {"table": np.asarray(table)}),)


def permute_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
    """A transposition that truly moves words."""
    view, order = node.node.attributes["view"], node.node.attributes["order"]
    assert isinstance(view, tuple) and isinstance(order, tuple)
    source, target = graph.by_name[node.inputs[0]], node.node.shape
    before = source.node.shape
    operator = Permute(before.tokens, before.features, target.tokens, target.features, lanes.in_lanes, source.format)
    return (Part("", operator, {"address": beat_order(view, order, lanes.in_lanes)}),)


def _axis(node: Node) -> tuple[int, bool]:
    axis = node.attributes["axis"]
    assert isinstance(axis, int)
    return axis, axis == len(node.shape.grid)
