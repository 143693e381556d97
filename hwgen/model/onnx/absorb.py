"""Folds multiplications by and additions of constants into the weights before or behind them.

This is what makes batch-norm, input normalisation, attention scales and biases free. Every rule is exact in real
numbers; constants stay float64 until the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from hwgen.model.graph import Node
from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.conv import Conv
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.families import Weighted
from hwgen.model.kinds.kind import Kind
from hwgen.model.kinds.layer_norm import LayerNorm
from hwgen.model.kinds.layout import Permute, Reshape
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.kinds.pools import AveragePool
from hwgen.model.kinds.slice import Slice
from hwgen.model.kinds.sources import Constant, Input
from hwgen.model.onnx.editor import Editor, with_constants
from hwgen.numbers.arrays import Array

# real models settle in a few passes over a few operators; crafted ones shall not take quadratic time
_MAX_PASSES = 50
_MAX_REACH = 12
_ABSORBING = (Linear, Conv, LayerNorm, Embedding)


@dataclass(frozen=True)
class Scaling:
    """A MUL by or ADD of a row of features.

    Attributes:
        node: the MUL or ADD.
        data: name of the tensor that it works on.
        row: the constant, (features,).
    """

    node: Node
    data: str
    row: Array

    @property
    def is_mul(self) -> bool:
        """MUL rather than ADD."""
        return isinstance(self.node.kind, Multiply)

    @property
    def uniform(self) -> bool:
        """All features get the same number."""
        return bool((self.row == self.row[0]).all())


def scaling(editor: Editor, node: Node) -> Scaling | None:
    """The node as a ``Scaling``, where it is one."""
    if not isinstance(node.kind, Multiply | Add):
        return None
    for data, constant in (node.inputs, node.inputs[::-1]):
        other = editor.nodes[constant]
        row = isinstance(other.kind, Constant) and other.shape.tokens == 1
        if row and editor.nodes[data].shape == node.shape:
            return Scaling(node, data, other.tensors["value"].read().reshape(-1).astype(np.float64))
    return None


_Rule: TypeAlias = Callable[[Editor, Scaling], bool]


def absorb_constants(editor: Editor) -> None:
    """Apply the rules until none changes anything (or long enough: every rule is optional)."""
    for count in range(_MAX_PASSES):
        changed = False
        # chains collapse into what is before them in forward order, into what is behind them in backward order
        for name in list(editor.nodes)[:: -1 if count % 2 else 1]:
            node = editor.nodes.get(name)
            found = scaling(editor, node) if node else None
            if found is not None:
                changed |= any(rule(editor, found) for rule in _RULES)
        if not changed:
            return


def _drop_neutral(editor: Editor, s: Scaling) -> bool:
    if (s.row != (1.0 if s.is_mul else 0.0)).any():
        return False
    editor.bypass(s.node.name, s.data)
    return True


def _into_producer(editor: Editor, s: Scaling) -> bool:
    """conv → MUL becomes conv with other weights."""
    producer = editor.nodes[s.data]
    if not isinstance(producer.kind, _ABSORBING) or editor.sole_user(s.data) is None:
        return False
    editor.put(_scaled(producer, s.row) if s.is_mul else _shifted(producer, s.row))
    editor.bypass(s.node.name, s.data)
    return True


def _scaled(node: Node, row: Array) -> Node:
    c = {key: tensor.read() for key, tensor in node.tensors.items()}
    if isinstance(node.kind, LayerNorm):
        return with_constants(node, {"gamma": c["gamma"] * row, "beta": c["beta"] * row})
    if isinstance(node.kind, Embedding):
        return with_constants(node, {"table": c["table"] * row})
    weight = c["weight"] * row.reshape(-1, *(1,) * (c["weight"].ndim - 1))
    return with_constants(node, {"weight": weight, "bias": c["bias"] * row})


def _shifted(node: Node, row: Array) -> Node:
    key = "beta" if isinstance(node.kind, LayerNorm) else "table" if isinstance(node.kind, Embedding) else "bias"
    return with_constants(node, {key: node.tensors[key].read() + row})


def _into_sliced_producer(editor: Editor, s: Scaling) -> bool:
    """linear → SLICE of features → MUL: only those rows change (q of a fused q, k, v)."""
    cut = editor.nodes[s.data]
    kept = _kept_features(cut)
    if kept is None or editor.sole_user(s.data) is None:
        return False
    producer = editor.nodes[cut.inputs[0]]
    start, stop = kept
    if not isinstance(producer.kind, Weighted) or editor.is_output(producer.name):
        return False
    for other in editor.readers(producer.name):
        range_of_other = _kept_features(other)
        if other.name != cut.name and (range_of_other is None or _overlap(range_of_other, kept)):
            return False
    row = np.full(producer.shape.features, 1.0 if s.is_mul else 0.0)
    row[start:stop] = s.row
    editor.put(_scaled(producer, row) if s.is_mul else _shifted(producer, row))
    editor.bypass(s.node.name, s.data)
    return True


def _kept_features(node: Node) -> tuple[int, int] | None:
    """Start and stop where the node is a SLICE of features."""
    if not isinstance(node.kind, Slice) or node.kind.axis != len(node.shape.grid):
        return None
    return node.kind.start, node.kind.stop


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _merge(editor: Editor, s: Scaling) -> bool:
    """Two scalings of the same kind in a row become one."""
    before = scaling(editor, editor.nodes[s.data])
    if before is None or before.is_mul != s.is_mul or editor.sole_user(s.data) is None:
        return False
    row = before.row * s.row if s.is_mul else before.row + s.row
    _rewrite(editor, s.node, s.node.kind, before.data, row)
    return True


def _rewrite(editor: Editor, node: Node, kind: Kind, data: str, row: Array) -> None:
    constant = editor.constant(row, node)
    editor.put(replace(node, kind=kind, inputs=(data, constant), shape=editor.nodes[data].shape))


def _swap_with_addition(editor: Editor, s: Scaling) -> bool:
    """(x + d) · c becomes x · c + d · c where x can absorb the factor."""
    before = scaling(editor, editor.nodes[s.data])
    if not s.is_mul or before is None or before.is_mul or editor.sole_user(s.data) is None:
        return False
    if not _absorbs(editor, before.data):
        return False
    _rewrite(editor, before.node, Multiply(), before.data, s.row)
    _rewrite(editor, s.node, Add(), before.node.name, before.row * s.row)
    return True


def _absorbs(editor: Editor, name: str) -> bool:
    """Whether a factor on this tensor can reach weights through operators that it commutes with."""
    for _ in range(_MAX_REACH):
        if editor.sole_user(name) is None:
            return False
        node = editor.nodes[name]
        if isinstance(node.kind, _ABSORBING):
            return True
        commutes = isinstance(node.kind, Reshape | Permute | AveragePool | MatMul)
        if not commutes and scaling(editor, node) is None:
            return _kept_features(node) is not None and isinstance(editor.nodes[node.inputs[0]].kind, Weighted)
        found = scaling(editor, node)
        name = node.inputs[0] if found is None else found.data
    return False


def _move_up(editor: Editor, s: Scaling) -> bool:
    """A scaling moves above an operator that it commutes with, if weights can absorb it there."""
    through = editor.nodes[s.data]
    if editor.sole_user(s.data) is None or not through.inputs:
        return False
    source = editor.nodes[through.inputs[0]]
    layout = isinstance(through.kind, Reshape | Permute)
    by_row = isinstance(through.kind, Reshape) and source.shape.features == through.shape.features
    by_row |= isinstance(through.kind, AveragePool) and s.is_mul
    by_number = s.uniform and (layout or (isinstance(through.kind, MatMul) and s.is_mul))
    if not (by_row or by_number) or not _absorbs(editor, source.name):
        return False
    row = s.row if by_row else np.full(source.shape.features, s.row[0])
    _insert(editor, s.node, source, through, row)
    editor.bypass(s.node.name, through.name)
    return True


def _insert(editor: Editor, like: Node, source: Node, reader: Node, row: Array) -> None:
    """Put a scaling of the kind of ``like`` between ``source`` and the first input of ``reader``."""
    constant = editor.constant(row, like)
    name = editor.new_name()
    editor.put(Node(name, like.kind, (source.name, constant), source.shape, {}, like.source))
    editor.put(replace(reader, inputs=(name, *reader.inputs[1:])))


def _into_readers(editor: Editor, s: Scaling) -> bool:
    """MUL → conv becomes conv with other weights; an addition too where nothing is padded with zeros in between."""
    readers = editor.readers(s.node.name)
    if not readers or editor.is_output(s.node.name) or not all(isinstance(r.kind, Weighted) for r in readers):
        return False
    if not s.is_mul and any(isinstance(r.kind, Conv) and any(r.kind.pads) for r in readers):
        return False
    for reader in readers:
        weight = reader.tensors["weight"].read()
        per_output = _per_output(reader.kind, len(weight), s.row)
        if s.is_mul:
            editor.put(with_constants(reader, {"weight": weight * per_output}))
        else:
            added = (weight * per_output).reshape(len(weight), -1).sum(axis=1)
            editor.put(with_constants(reader, {"bias": reader.tensors["bias"].read() + added}))
    editor.bypass(s.node.name, s.data)
    return True


def _per_output(kind: Kind, outputs: int, row: Array) -> Array:
    """The row of input features as it broadcasts against the reader's weight."""
    if not isinstance(kind, Conv):
        return row
    per_group = np.repeat(row.reshape(kind.groups, -1), outputs // kind.groups, axis=0)
    return per_group.reshape(outputs, 1, 1, -1)


def _factor_last(editor: Editor, s: Scaling) -> bool:
    """x · c + d becomes (x + d / c) · c before padded convolutions: they absorb the factor, so one operator is left."""
    before = scaling(editor, editor.nodes[s.data])
    readers = editor.readers(s.node.name)
    if s.is_mul or before is None or not before.is_mul or editor.sole_user(s.data) is None or (before.row == 0).any():
        return False
    if not readers or editor.is_output(s.node.name) or not all(isinstance(r.kind, Weighted) for r in readers):
        return False
    if _absorbs(editor, before.data):
        return False
    factor = before.row
    _rewrite(editor, before.node, Add(), before.data, s.row / factor)
    _rewrite(editor, s.node, Multiply(), before.node.name, factor)
    return True


def _is_scaled_input(editor: Editor, name: str) -> bool:
    for _ in range(_MAX_REACH):
        found = scaling(editor, editor.nodes[name])
        if found is None:
            break
        name = found.data
    return isinstance(editor.nodes[name].kind, Input)


def _sink(editor: Editor, s: Scaling) -> bool:
    """input → MUL → PERMUTE becomes input → PERMUTE → MUL, so that the input's layout can take the permutation over."""
    user = editor.sole_user(s.node.name)
    if user is None or not isinstance(user.kind, Reshape | Permute) or not _is_scaled_input(editor, s.data):
        return False
    if not s.uniform and editor.nodes[s.data].shape.features != user.shape.features:
        return False
    if not s.uniform and isinstance(user.kind, Permute):
        return False
    row = np.full(user.shape.features, s.row[0]) if s.uniform else s.row
    constant = editor.constant(row, s.node)
    name = editor.new_name()
    editor.put(Node(name, s.node.kind, (), user.shape, {}, s.node.source))
    editor.redirect(user.name, name)
    editor.put(replace(editor.nodes[name], inputs=(user.name, constant)))
    editor.bypass(s.node.name, s.data)
    return True


_RULES: tuple[_Rule, ...] = (
    _drop_neutral,
    _into_producer,
    _into_sliced_producer,
    _merge,
    _swap_with_addition,
    _move_up,
    _into_readers,
    _factor_last,
    _sink,
)
