"""Folds multiplications by and additions of constants into the weights before or behind them.

This is what makes batch-norm, input normalisation, attention scales and biases free. Every rule is exact in real
numbers; constants stay float64 until the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from hwgen.model.graph import Node, Op
from hwgen.model.onnx.editor import Editor, with_constants
from hwgen.numbers.arrays import Array

_WEIGHTED = (Op.LINEAR, Op.CONV)
# real models settle in a few passes over a few operators; crafted ones shall not take quadratic time
_MAX_PASSES = 50
_MAX_REACH = 12
_ABSORBING = (Op.LINEAR, Op.CONV, Op.LAYER_NORM, Op.EMBEDDING)


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
        return self.node.op is Op.MUL

    @property
    def uniform(self) -> bool:
        """All features get the same number."""
        return bool((self.row == self.row[0]).all())


def scaling(editor: Editor, node: Node) -> Scaling | None:
    """The node as a ``Scaling``, where it is one."""
    if node.op not in (Op.MUL, Op.ADD):
        return None
    for data, constant in (node.inputs, node.inputs[::-1]):
        other = editor.nodes[constant]
        if other.op is Op.CONSTANT and other.shape.tokens == 1 and editor.nodes[data].shape == node.shape:
            return Scaling(node, data, other.constants["value"].reshape(-1).astype(np.float64))
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
    if producer.op not in _ABSORBING or editor.sole_user(s.data) is None:
        return False
    editor.put(_scaled(producer, s.row) if s.is_mul else _shifted(producer, s.row))
    editor.bypass(s.node.name, s.data)
    return True


def _scaled(node: Node, row: Array) -> Node:
    c = node.constants
    if node.op is Op.LAYER_NORM:
        return with_constants(node, {"gamma": c["gamma"] * row, "beta": c["beta"] * row})
    if node.op is Op.EMBEDDING:
        return with_constants(node, {"table": c["table"] * row})
    weight = c["weight"] * row.reshape(-1, *(1,) * (c["weight"].ndim - 1))
    return with_constants(node, {"weight": weight, "bias": c["bias"] * row})


def _shifted(node: Node, row: Array) -> Node:
    key = {Op.LAYER_NORM: "beta", Op.EMBEDDING: "table"}.get(node.op, "bias")
    return with_constants(node, {key: node.constants[key] + row})


def _into_sliced_producer(editor: Editor, s: Scaling) -> bool:
    """linear → SLICE of features → MUL: only those rows change (q of a fused q, k, v)."""
    cut = editor.nodes[s.data]
    if not _cuts_features(cut) or editor.sole_user(s.data) is None:
        return False
    producer = editor.nodes[cut.inputs[0]]
    start, stop = _range(cut)
    if producer.op not in _WEIGHTED or editor.is_output(producer.name):
        return False
    for other in editor.readers(producer.name):
        if other.name != cut.name and (not _cuts_features(other) or _overlap(_range(other), (start, stop))):
            return False
    row = np.full(producer.shape.features, 1.0 if s.is_mul else 0.0)
    row[start:stop] = s.row
    editor.put(_scaled(producer, row) if s.is_mul else _shifted(producer, row))
    editor.bypass(s.node.name, s.data)
    return True


def _cuts_features(node: Node) -> bool:
    return node.op is Op.SLICE and node.attributes["axis"] == len(node.shape.grid)


def _range(node: Node) -> tuple[int, int]:
    start, stop = node.attributes["start"], node.attributes["stop"]
    if not isinstance(start, int) or not isinstance(stop, int):
        raise TypeError("a slice has an integer range")
    return start, stop


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _merge(editor: Editor, s: Scaling) -> bool:
    """Two scalings of the same kind in a row become one."""
    before = scaling(editor, editor.nodes[s.data])
    if before is None or before.node.op is not s.node.op or editor.sole_user(s.data) is None:
        return False
    row = before.row * s.row if s.is_mul else before.row + s.row
    _rewrite(editor, s.node, s.node.op, before.data, row)
    return True


def _rewrite(editor: Editor, node: Node, op: Op, data: str, row: Array) -> None:
    constant = editor.constant(row, node)
    editor.put(replace(node, op=op, inputs=(data, constant), shape=editor.nodes[data].shape))


def _swap_with_addition(editor: Editor, s: Scaling) -> bool:
    """(x + d) · c becomes x · c + d · c where x can absorb the factor."""
    before = scaling(editor, editor.nodes[s.data])
    if not s.is_mul or before is None or before.is_mul or editor.sole_user(s.data) is None:
        return False
    if not _absorbs(editor, before.data):
        return False
    _rewrite(editor, before.node, Op.MUL, before.data, s.row)
    _rewrite(editor, s.node, Op.ADD, before.node.name, before.row * s.row)
    return True


def _absorbs(editor: Editor, name: str) -> bool:
    """Whether a factor on this tensor can reach weights through operators that it commutes with."""
    for _ in range(_MAX_REACH):
        if editor.sole_user(name) is None:
            return False
        node = editor.nodes[name]
        if node.op in _ABSORBING:
            return True
        if node.op not in (Op.RESHAPE, Op.PERMUTE, Op.AVERAGE_POOL, Op.MATMUL) and scaling(editor, node) is None:
            return _cuts_features(node) and editor.nodes[node.inputs[0]].op in _WEIGHTED
        found = scaling(editor, node)
        name = node.inputs[0] if found is None else found.data
    return False


def _move_up(editor: Editor, s: Scaling) -> bool:
    """A scaling moves above an operator that it commutes with, if weights can absorb it there."""
    through = editor.nodes[s.data]
    if editor.sole_user(s.data) is None or not through.inputs:
        return False
    source = editor.nodes[through.inputs[0]]
    by_row = through.op is Op.RESHAPE and source.shape.features == through.shape.features
    by_row |= through.op is Op.AVERAGE_POOL and s.is_mul
    by_number = s.uniform and (through.op in (Op.RESHAPE, Op.PERMUTE) or (through.op is Op.MATMUL and s.is_mul))
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
    editor.put(Node(name, like.op, (source.name, constant), source.shape, {}, {}, like.source))
    editor.put(replace(reader, inputs=(name, *reader.inputs[1:])))


def _into_readers(editor: Editor, s: Scaling) -> bool:
    """MUL → conv becomes conv with other weights; an addition too where nothing is padded with zeros in between."""
    readers = editor.readers(s.node.name)
    if not readers or editor.is_output(s.node.name) or any(r.op not in _WEIGHTED for r in readers):
        return False
    if not s.is_mul and any(r.op is Op.CONV and r.attributes["pads"] != (0, 0, 0, 0) for r in readers):
        return False
    for reader in readers:
        weight = reader.constants["weight"]
        per_output = _per_output(reader, s.row)
        if s.is_mul:
            editor.put(with_constants(reader, {"weight": weight * per_output}))
        else:
            added = (weight * per_output).reshape(len(weight), -1).sum(axis=1)
            editor.put(with_constants(reader, {"bias": reader.constants["bias"] + added}))
    editor.bypass(s.node.name, s.data)
    return True


def _per_output(reader: Node, row: Array) -> Array:
    """The row of input features as it broadcasts against the reader's weight."""
    if reader.op is Op.LINEAR:
        return row
    groups = reader.attributes["groups"]
    weight = reader.constants["weight"]
    if not isinstance(groups, int):
        raise TypeError("a convolution has an integer number of groups")
    per_group = np.repeat(row.reshape(groups, -1), len(weight) // groups, axis=0)
    return per_group.reshape(len(weight), 1, 1, -1)


def _factor_last(editor: Editor, s: Scaling) -> bool:
    """x · c + d becomes (x + d / c) · c before padded convolutions: they absorb the factor, so one operator is left."""
    before = scaling(editor, editor.nodes[s.data])
    readers = editor.readers(s.node.name)
    if s.is_mul or before is None or not before.is_mul or editor.sole_user(s.data) is None or (before.row == 0).any():
        return False
    if not readers or editor.is_output(s.node.name) or any(r.op not in _WEIGHTED for r in readers):
        return False
    if _absorbs(editor, before.data):
        return False
    factor = before.row
    _rewrite(editor, before.node, Op.ADD, before.data, s.row / factor)
    _rewrite(editor, s.node, Op.MUL, before.node.name, factor)
    return True


def _is_scaled_input(editor: Editor, name: str) -> bool:
    for _ in range(_MAX_REACH):
        found = scaling(editor, editor.nodes[name])
        if found is None:
            break
        name = found.data
    return editor.nodes[name].op is Op.INPUT


def _sink(editor: Editor, s: Scaling) -> bool:
    """input → MUL → PERMUTE becomes input → PERMUTE → MUL, so that the input's layout can take the permutation over."""
    user = editor.sole_user(s.node.name)
    if user is None or user.op not in (Op.RESHAPE, Op.PERMUTE) or not _is_scaled_input(editor, s.data):
        return False
    if not s.uniform and editor.nodes[s.data].shape.features != user.shape.features:
        return False
    if not s.uniform and user.op is Op.PERMUTE:
        return False
    row = np.full(user.shape.features, s.row[0]) if s.uniform else s.row
    constant = editor.constant(row, s.node)
    name = editor.new_name()
    editor.put(Node(name, s.node.op, (), user.shape, {}, {}, s.node.source))
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
