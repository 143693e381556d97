"""From the graph as it was walked to the canonical one: constants absorbed, layouts cleaned, final names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.model.graph import Graph, InputLayout, Node
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.families import Moving, Source
from hwgen.model.kinds.layout import Permute, Reshape
from hwgen.model.kinds.sources import Constant, Input
from hwgen.model.onnx.absorb import absorb_constants
from hwgen.model.onnx.editor import Editor
from hwgen.model.tensors import in_memory
from hwgen.numbers.arrays import Array


def canonical(graph: Graph) -> Graph:
    """The canonical form of a freshly imported graph.

    Raises:
        ModelError: a weight is not finite, or nothing is left to become hardware.
    """
    editor = Editor(graph)
    editor.drop_dead()
    absorb_constants(editor)
    inputs = {i.node: i for i in graph.inputs if i.node in editor.nodes}
    _clean_layouts(editor)
    for name in inputs:
        inputs[name] = _absorb_input_layout(editor, inputs[name])
    absorb_constants(editor)
    _clean_layouts(editor)
    return _finished(editor, graph, tuple(inputs.values()))


def _clean_layouts(editor: Editor) -> None:
    """Reshapes of reshapes become one, those to the same shape vanish, constants are stored the way they are read."""
    for node in editor.ordered():
        if not isinstance(node.kind, Reshape | Permute):
            continue
        source = editor.nodes[node.inputs[0]]
        if isinstance(source.kind, Constant):
            editor.put(_laid_constant(node, source.tensors["value"].read()))
            continue
        if isinstance(node.kind, Permute):
            continue
        while isinstance(source.kind, Reshape):
            source = editor.nodes[source.inputs[0]]
        if source.shape == node.shape:
            editor.bypass(node.name, source.name)
        else:
            editor.put(replace(node, inputs=(source.name,)))
    editor.drop_dead()


def _laid_constant(node: Node, value: Array) -> Node:
    if isinstance(node.kind, Permute):
        value = value.reshape(node.kind.view).transpose(node.kind.order)
    return replace(node, kind=Constant(), inputs=(), tensors=in_memory({"value": value.reshape(node.shape.dims)}))


def _absorb_input_layout(editor: Editor, layout: InputLayout) -> InputLayout:
    """Reshapes and permutations of a graph input cost nothing: the user's array is laid out that way instead."""
    while (form := _common_form(editor, layout.node)) is not None:
        order = layout.order
        if isinstance(form.kind, Permute):
            permuted = _permuted_axes(layout, form.kind.view, form.kind.order)
            if permuted is None:
                break
            order = permuted
        editor.put(replace(editor.nodes[layout.node], kind=Input(form.shape.dims), shape=form.shape))
        for reader in editor.readers(layout.node):
            editor.bypass(reader.name, layout.node)
        layout = replace(layout, order=order)
    return layout


def _common_form(editor: Editor, name: str) -> Node | None:
    """The reshape or permutation that every reader of an input applies; None where they differ."""
    readers = editor.readers(name)
    if not readers or editor.is_output(name) or not isinstance(readers[0].kind, Reshape | Permute):
        return None
    return readers[0] if len({r.kind for r in readers}) == 1 else None


def _permuted_axes(layout: InputLayout, view: Sequence[int], order: Sequence[int]) -> tuple[int, ...] | None:
    """The input's axis order after a further permutation; None where that splits an axis of the user's array."""
    groups: list[list[int]] = [[] for _ in view]
    position, left = 0, view[0] if view else 1
    ones = [axis for axis in layout.order if layout.shape[axis] == 1]
    for axis in (a for a in layout.order if layout.shape[a] > 1):
        if left == 1:
            position += 1
            left = view[position]
        if left % layout.shape[axis]:
            return None
        groups[position].append(axis)
        left //= layout.shape[axis]
    return (*ones, *(axis for place in order for axis in groups[place]))


def _finished(editor: Editor, graph: Graph, inputs: tuple[InputLayout, ...]) -> Graph:
    nodes = editor.ordered()
    if all(isinstance(n.kind, Source | Reshape) for n in nodes):
        raise ModelError("nothing of this model becomes hardware: it has no operator that computes")
    names = _names(nodes)
    final = tuple(
        replace(
            node,
            name=names[node.name],
            inputs=tuple(names[i] for i in node.inputs),
            tensors=in_memory({key: _float32(tensor.read(), node) for key, tensor in node.tensors.items()}),
        )
        for node in nodes
    )
    kept = tuple(
        replace(i, node=names[i.node], integer=i.integer and _holds_ids(editor, i.node))
        for i in inputs
        if i.node in names
    )
    outputs = tuple(replace(o, node=names[editor.outputs[o.node]]) for o in graph.outputs)
    return Graph(final, kept, outputs, graph.tails)


def _holds_ids(editor: Editor, name: str) -> bool:
    """Whether an integer input is looked up in a table (ids), or is merely stored in integers (pixels)."""
    stack = [name]
    while stack:
        for reader in editor.readers(stack.pop()):
            if isinstance(reader.kind, Embedding):
                return True
            if isinstance(reader.kind, Moving):
                stack.append(reader.name)
    return False


def _names(nodes: Sequence[Node]) -> dict[str, str]:
    """Final names by operator and place (``conv1``, ``conv2``, …): legal identifiers made from nothing of the file."""
    counts: Counter[str] = Counter()
    names = {}
    for node in nodes:
        counts[node.kind.name] += 1
        names[node.name] = f"{node.kind.name}{counts[node.kind.name]}"
    return names


def _float32(value: Array, node: Node) -> Array:
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(value, dtype=np.float32)
    if not np.isfinite(result).all():
        raise ModelError(
            f"the weights of the node {node.source!r} are not finite in float32; export the model with finite weights"
        )
    return result
