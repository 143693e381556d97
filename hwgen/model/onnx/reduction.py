"""Reductions over axes: means and maxima over positions are pools, sums and means over features are LINEAR."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hwgen.model.kinds.arithmetic import Multiply
from hwgen.model.onnx.call import Call, Handler, Handlers
from hwgen.model.onnx.declared import FLOATS, NUMBERS, REALS, Declared
from hwgen.model.onnx.matrix import contract
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.view import View
from hwgen.model.onnx.windows import whole_window


def _reduce(kind: str) -> Handler:
    def handler(call: Call) -> View:
        view = call.view(0)
        axes = call.axes("axes", 1, len(view.dims))
        if not axes:
            if call.attribute("noop_with_empty_axes", 0):
                return view
            axes = tuple(range(len(view.dims)))
        count = math.prod(view.shape[a] for a in axes)
        reduced = _reduced(call, view, axes, kind)
        if kind == "sum" and count > 1:
            reduced = call.builder.with_constant(reduced, Multiply(), np.asarray(float(count)))
        if call.attribute("keepdims", 1):
            return reduced
        return View(reduced.node, reduced.sizes, tuple(d for a, d in enumerate(reduced.dims) if a not in axes))

    return handler


def _reduced(call: Call, view: View, axes: Sequence[int], kind: str) -> View:
    gone = [f for a in axes for f in view.dims[a]]
    kept = [f for f in range(len(view.sizes)) if f not in gone]
    if not gone:
        return view
    if kind != "max" and kept == list(range(len(kept))) and len([a for a in axes if view.dims[a]]) == 1:
        # over the innermost axis: a matrix of equal weights
        axis = next(a for a in axes if view.dims[a])
        size = view.shape[axis]
        return contract(call, view, axis, np.full((1, size), 1.0 / size))
    # kept positions, reduced positions, features; the kept factors that stand last are the features
    behind = [f for f in kept if all(f > g for g in gone)] or kept
    before = [f for f in kept if f not in behind]
    laid = call.builder.lay(view, [*before, *sorted(gone), *behind], _grid(call, view, before, gone), view.size(behind))
    shape = call.builder.shape(laid)
    kernel = (1 if before else shape.grid[0], shape.grid[1])
    node = call.builder.emit(whole_window(kind == "max", kernel, strides=kernel), [laid.node])
    place = {factor: i for i, factor in enumerate([*before, *behind])}
    dims = tuple(() if a in axes else tuple(place[f] for f in dim) for a, dim in enumerate(view.dims))
    return View(node, tuple(view.sizes[f] for f in (*before, *behind)), dims)


def _grid(call: Call, view: View, before: Sequence[int], gone: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the pool: the image as it is where it is reduced as a whole."""
    shape = call.builder.shape(view)
    if not before and len(shape.grid) == 2 and math.prod(shape.grid) == view.size(gone):
        return shape.grid[0], shape.grid[1]
    return view.size(before), view.size(gone)


def _only_last(operator: str) -> Handler:
    def handler(call: Call) -> View:
        raise Refused(f"{operator} inside the model; only as the last operator, where it stays in software")

    return handler


_REDUCTION = ("axes", "keepdims", "noop_with_empty_axes")

HANDLERS: Handlers = {
    "ReduceMean": Declared(_reduce("mean"), 2, _REDUCTION, FLOATS),
    "ReduceSum": Declared(_reduce("sum"), 2, _REDUCTION, REALS),
    "ReduceMax": Declared(_reduce("max"), 2, _REDUCTION, NUMBERS),
    "LogSoftmax": Declared(
        _only_last("LogSoftmax"),
        1,
        ("axis",),
        FLOATS,
    ),
    "ArgMax": Declared(
        _only_last("ArgMax"),
        1,
        ("axis", "keepdims", "select_last_index"),
        NUMBERS,
    ),
}
