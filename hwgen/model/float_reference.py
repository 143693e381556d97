"""Evaluates a graph in float32 with numpy: the float model that quantized designs are compared with.

Tensors carry a leading sample axis: ``(samples, *grid, features)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.sources import Input
from hwgen.model.software import apply_tail
from hwgen.numbers.arrays import Array


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


def walk(graph: Graph, inputs: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Name and tensor of each node in turn, for a batch of samples; a tensor is dropped behind its last reader.

    Args:
        graph: an imported graph.
        inputs: for each input node its tensor ``(samples, *grid, features)`` (see ``apply_input_layout``).

    Yields:
        Float32 tensors ``(samples, *grid, features)``.

    Raises:
        KeyError: an input is missing.
    """
    last_reader = {name: node.name for node in graph.nodes for name in node.inputs}
    samples = len(next(iter(inputs.values())))
    held: dict[str, Array] = {}
    for node in graph.nodes:
        operands = [inputs[node.name]] if isinstance(node.kind, Input) else [held[i] for i in node.inputs]
        result = np.asarray(node.kind.evaluate(operands, node.tensors, node.shape), dtype=np.float32)
        shape = (samples, *node.shape.dims)
        # A constant is the same for all samples.
        result = result.reshape(shape) if operands else np.broadcast_to(result, shape)
        del operands
        yield node.name, result
        if node.name in last_reader:
            held[node.name] = result
        for name in {name for name in node.inputs if last_reader[name] == node.name}:
            del held[name]


def evaluate(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of the graph at once, by name; see ``walk``."""
    return dict(walk(graph, inputs))


def run(graph: Graph, arrays: Mapping[str, Array]) -> list[Array]:
    """The model's own outputs, software tails included, from arrays by the source model's input names."""
    by_name = graph.by_name
    inputs = {i.node: apply_input_layout(i, by_name[i.node], arrays[i.source]) for i in graph.inputs}
    read = {o.node for o in graph.outputs}
    tensors = {name: tensor for name, tensor in walk(graph, inputs) if name in read}
    arrays_out = [apply_output_layout(o, tensors[o.node]) for o in graph.outputs]
    return [apply_tail(result, arrays_out[result.index]) for result in graph.results]
