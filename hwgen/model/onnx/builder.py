"""Emits IR nodes while the ONNX graph is walked, and moves data only where a view demands it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from hwgen.errors import ModelError
from hwgen.model.graph import Node
from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.kind import Kind
from hwgen.model.kinds.layout import Permute, Reshape
from hwgen.model.kinds.sources import Constant, Input
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import shown
from hwgen.model.onnx.view import View, plain_view
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory
from hwgen.numbers.arrays import Array

MAX_TENSOR_ELEMENTS = 1 << 26
MAX_CONSTANT_ELEMENTS = 1 << 29
_MAX_SCALINGS = 8


class Builder:
    """A growing IR graph. Nodes get provisional names; ``hwgen.model.onnx.canonical`` gives the final ones."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.source = ""
        self._made: dict[tuple[Kind, str], str] = {}
        self._constant_elements = 0

    def emit(
        self,
        kind: Kind,
        inputs: Sequence[str],
        constants: Mapping[str, Array] | None = None,
    ) -> str:
        """Add a node; its shape is computed.

        Raises:
            IllegalGraph: the operands do not fit together.
            ModelError: the tensor or the constants are too large.
        """
        tensors = in_memory(constants or {})
        shape = kind.shape([self.nodes[i].shape for i in inputs], tensors)
        self._constant_elements += sum(t.size for t in tensors.values())
        if shape.elements > MAX_TENSOR_ELEMENTS or self._constant_elements > MAX_CONSTANT_ELEMENTS:
            raise ModelError(
                f"the node {shown(self.source)!r} makes a tensor of {shape.elements} elements; the model is too large"
            )
        name = f"t{len(self.nodes)}"
        self.nodes[name] = Node(name, kind, tuple(inputs), shape, tensors, shown(self.source))
        return name

    def shape(self, view: View) -> Shape:
        """Shape of the node behind a view."""
        return self.nodes[view.node].shape

    def lay(self, view: View, order: Sequence[int], grid: Sequence[int], features: int) -> View:
        """The same tensor with its factors in the stream order ``order`` and the node shape ``(*grid, features)``."""
        shape = Shape(tuple(grid), features)
        if list(order) == list(range(len(order))):
            return View(self.in_shape(view.node, shape), view.sizes, view.dims)
        sizes, merged = _merged_order(view.sizes, order)
        node = self.emit_once(Permute(sizes, merged, shape.dims), view.node)
        place = {factor: i for i, factor in enumerate(order)}
        dims = tuple(tuple(place[f] for f in dim) for dim in view.dims)
        return View(node, tuple(view.sizes[f] for f in order), dims)

    def emit_once(self, kind: Kind, name: str) -> str:
        """The node that does ``kind`` with the tensor ``name``; a new one where there is none yet."""
        key = (kind, name)
        if key not in self._made:
            self._made[key] = self.emit(kind, [name])
        return self._made[key]

    def in_shape(self, name: str, shape: Shape) -> str:
        """A node with the stream of ``name`` in another shape."""
        while self.nodes[name].shape != shape and isinstance(self.nodes[name].kind, Reshape):
            name = self.nodes[name].inputs[0]
        if self.nodes[name].shape == shape:
            return name
        return self.emit_once(Reshape(shape.dims), name)

    def reshaped(self, view: View, shape: Sequence[int]) -> View:
        """The view with another ONNX shape; data moves only where the regrouping demands it."""
        if math.prod(shape) != view.elements:
            raise Refused(f"cannot reshape {view.shape} to {tuple(shape)}; export with fixed shapes and batch size 1")
        result = view.reshaped(shape)
        if result is None:
            moved = self.lay(view, view.sequence, (), view.elements)
            result = plain_view(moved.node, shape)
        return result

    def constant(self, array: Array) -> View:
        """A constant as a tensor of its own, stream in ONNX order."""
        dims = [d for d in array.shape if d > 1]
        value = np.asarray(array, dtype=np.float64).reshape(dims or [1])
        return plain_view(self.emit(Constant(), [], {"value": value}), array.shape)

    def with_constant(self, view: View, kind: Add | Multiply, array: Array) -> View:
        """``view`` (any ONNX shape) added to or multiplied by a constant that broadcasts to its shape."""
        if np.broadcast_shapes(view.shape, array.shape) != view.shape:
            raise Refused(
                f"a constant of shape {array.shape} would enlarge a tensor of shape {view.shape}; expand it first"
            )
        if self._is_scaled_input(view.node):
            view = self._constant_axes_last(view, array)
        shape = self.shape(view)
        streamed = view.to_stream(np.broadcast_to(np.asarray(array, dtype=np.float64), view.shape))
        rows = streamed.reshape(shape.tokens, shape.features)
        value = rows[0] if (rows == rows[:1]).all() else rows.reshape(shape.dims)
        constant = self.emit(Constant(), [], {"value": np.ascontiguousarray(value)})
        return View(self.emit(kind, [view.node, constant]), view.sizes, view.dims)

    def _is_scaled_input(self, name: str) -> bool:
        """Whether a tensor is a graph input, or one with constants added and multiplied only."""
        for _ in range(_MAX_SCALINGS):
            node = self.nodes[name]
            if not isinstance(node.kind, Add | Multiply) or not isinstance(self.nodes[node.inputs[1]].kind, Constant):
                break
            name = node.inputs[0]
        return isinstance(self.nodes[name].kind, Input)

    def _constant_axes_last(self, view: View, array: Array) -> View:
        """A graph input laid out so that the axes along which the constant varies are its features (that is free)."""
        padded = (1,) * (len(view.dims) - array.ndim) + array.shape
        last = [f for dim, size in zip(view.dims, padded, strict=True) if size > 1 for f in dim]
        if not last or len(last) == len(view.sizes):
            return view
        grid = [f for f in view.sequence if f not in last]
        return self.lay(view, [*grid, *last], [view.sizes[f] for f in grid], view.size(last))


def _merged_order(sizes: Sequence[int], order: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The same permutation with factors that stay neighbours merged."""
    runs: list[list[int]] = []
    for factor in order:
        if runs and runs[-1][-1] == factor - 1:
            runs[-1].append(factor)
        else:
            runs.append([factor])
    stream = sorted(runs)
    merged_sizes = tuple(math.prod(sizes[f] for f in run) for run in stream)
    return merged_sizes, tuple(stream.index(run) for run in runs)
