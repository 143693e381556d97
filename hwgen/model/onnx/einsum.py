"""Einsum of two operands: a matrix product once its axes are grouped into batches, rows, reduction and columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.declared import FLOATS, Declared
from hwgen.model.onnx.matrix import contract, product
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import Const
from hwgen.model.onnx.view import View

_EQUATION = re.compile(r"([A-Za-z]+),([A-Za-z]+)->([A-Za-z]+)")


def _einsum(call: Call) -> View:
    match = _EQUATION.fullmatch(call.attribute("equation", "").replace(" ", ""))
    if match is None or any(len(set(letters)) != len(letters) for letters in match.groups()):
        raise Refused("an Einsum that is no product of two operands with distinct axes; write it as MatMul")
    left, right, out = match.groups()
    first, second = 0, 1
    if isinstance(call.required(0), Const):
        left, right, first, second = right, left, 1, 0
    view = call.view(first)
    batch = [c for c in left if c in right and c in out]
    reduced = [c for c in left if c in right and c not in out]
    rows, columns = [c for c in left if c not in right], [c for c in right if c not in left]
    if set(out) != {*batch, *rows, *columns} or not reduced or len(left) != len(view.dims):
        raise Refused(
            "an Einsum that sums over an axis of one operand only, or reduces none; write it as MatMul and ReduceSum"
        )
    a = _grouped(view, left, [*([c] for c in batch), rows, reduced])
    other = call.required(second)
    if isinstance(other, Const):
        made, sizes = _with_constant(call, a, other, right, batch, reduced, columns)
    else:
        b_view = call.as_view(other)
        if len(right) != len(b_view.dims):
            raise Refused("an Einsum whose equation does not fit its operands; export the model again")
        made = product(call, a, _grouped(b_view, right, [*([c] for c in batch), reduced, columns]))
        sizes = [b_view.shape[right.index(c)] for c in columns]
    shape = [*(view.shape[left.index(c)] for c in (*batch, *rows)), *sizes]
    split = call.builder.reshaped(made, shape)
    order = [*batch, *rows, *columns]
    return split.transposed([order.index(c) for c in out])


def _grouped(view: View, letters: str, groups: Sequence[Sequence[str]]) -> View:
    """The view with one axis for each group of letters."""
    dims = tuple(tuple(f for c in group for f in view.dims[letters.index(c)]) for group in groups)
    return View(view.node, view.sizes, dims)


def _with_constant(
    call: Call,
    a: View,
    other: Const,
    letters: str,
    batch: Sequence[str],
    reduced: Sequence[str],
    columns: Sequence[str],
) -> tuple[View, list[int]]:
    array = other.array.astype(np.float64)
    if array.ndim != len(letters) or any(array.shape[letters.index(c)] != 1 for c in batch):
        raise Refused("an Einsum with other weights for each batch; use one weight matrix for all")
    sizes = [array.shape[letters.index(c)] for c in columns]
    ordered = array.transpose([letters.index(c) for c in (*batch, *columns, *reduced)])
    weight = ordered.reshape(int(np.prod(sizes, dtype=np.int64)), -1)
    return contract(call, a, len(a.dims) - 1, weight), sizes


HANDLERS: Handlers = {
    "Einsum": Declared(_einsum, 2, ("equation",), FLOATS),
}
