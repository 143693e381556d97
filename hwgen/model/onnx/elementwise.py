"""Operators of two operands: functions of one activation stay symbolic, constants and residuals become ADD and MUL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.sources import Input
from hwgen.model.onnx.call import Call, Handler, Handlers
from hwgen.model.onnx.declared import ANY_NUMBER_OF_OPERANDS, ANYTHING, FLOATS, NUMBERS, REALS, Declared
from hwgen.model.onnx.normalization import decomposed_layer_norm
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import (
    Const,
    Expr,
    Masked,
    Poison,
    Value,
    apply,
    combine,
    require_sampled_crossings,
)
from hwgen.model.onnx.view import View, refined
from hwgen.numbers.arrays import Array

_Binary: TypeAlias = Callable[[Array, Array], Array]
MASK_THRESHOLD = -1e4


def _function_of_one(call: Call, value: Value) -> Expr | float | None:
    """An activation as a symbolic function, a constant with one element as a number."""
    if isinstance(value, View | Expr):
        return call.as_expr(value)
    if isinstance(value, Const) and value.array.size == 1 and value.array.ndim <= 1:
        return float(value.array.reshape(-1)[0])
    return None


def _combined(call: Call, a: Value, b: Value, operator: str, function: _Binary) -> Expr | None:
    """Both operands as one function of one base, where they are that."""
    left, right = _function_of_one(call, a), _function_of_one(call, b)
    if left is None or right is None or not (isinstance(left, Expr) or isinstance(right, Expr)):
        return None
    if isinstance(left, Expr) and isinstance(right, Expr) and left.base != right.base:
        return None
    return combine(left, right, operator, function)


def _add(call: Call) -> Value:
    return _sum(call, call.required(0), call.required(1))


def _sum_of_many(call: Call) -> Value:
    total = call.required(0)
    for index in range(1, len(call.inputs)):
        total = _sum(call, total, call.required(index))
    return total


def _sub(call: Call) -> Value:
    subtrahend = call.required(1)
    if isinstance(subtrahend, Const):
        return _sum(call, call.required(0), Const(-subtrahend.array.astype(np.float64)))
    return _sum(call, call.required(0), _binary(call, subtrahend, Const(np.asarray(-1.0)), "mul", np.multiply))


def _sum(call: Call, a: Value, b: Value) -> Value:
    for value, other in ((a, b), (b, a)):
        if isinstance(value, Const) and isinstance(other, View | Expr) and (value.array <= MASK_THRESHOLD).any():
            return _masked(call.as_view(other), value.array)
    return _binary(call, a, b, "add", np.add)


def _masked(view: View, addend: Array) -> Masked:
    if np.any(addend[addend > MASK_THRESHOLD] != 0.0):
        raise Refused("a mask that also adds to the entries that it keeps; add the bias before the mask")
    if np.broadcast_shapes(view.shape, addend.shape) != view.shape:
        raise Refused(f"a mask of shape {addend.shape} for scores of shape {view.shape}")
    highest = float(addend[addend <= MASK_THRESHOLD].max())
    return Masked(view, np.broadcast_to(addend > MASK_THRESHOLD, view.shape), highest)


def _mul(call: Call) -> Value:
    return _binary(call, call.required(0), call.required(1), "mul", np.multiply)


def _div(call: Call) -> Value:
    divisor = call.required(1)
    if isinstance(divisor, Const):
        with np.errstate(divide="ignore"):
            inverse = 1.0 / divisor.array.astype(np.float64)
        if not np.isfinite(inverse).all():
            raise Refused("a division by zero; export the model with finite weights")
        return _binary(call, call.required(0), Const(inverse), "mul", np.multiply)
    normalized = decomposed_layer_norm(call)
    if normalized is not None:
        return normalized
    return _binary(call, call.required(0), apply(call.expr(1), "reciprocal", np.reciprocal), "mul", np.multiply)


def _neg(call: Call) -> Value:
    return _binary(call, call.required(0), Const(np.asarray(-1.0)), "mul", np.multiply)


def _binary(call: Call, a: Value, b: Value, operator: str, function: _Binary) -> Value:
    """ADD or MUL of two operands, at least one of them an activation."""
    kind = Add() if operator == "add" else Multiply()
    for value, other in ((a, b), (b, a)):
        if isinstance(value, Masked) and operator == "mul" and isinstance(other, Const) and (other.array > 0).all():
            highest = value.highest * float(other.array.min())
            if highest > MASK_THRESHOLD:
                raise Refused(f"masked scores that are scaled to {highest:g}; scale them before the mask")
            return Masked(call.builder.with_constant(value.view, kind, other.array), value.keep, highest)
    found = _combined(call, a, b, operator, function)
    if found is not None:
        return found
    for value, other in ((a, b), (b, a)):
        if isinstance(other, Const):
            return call.builder.with_constant(call.as_view(value), kind, other.array)
    return _two_tensors(call, kind, call.as_view(a), call.as_view(b))


def _two_tensors(call: Call, kind: Add | Multiply, a: View, b: View) -> View:
    """Two activations of one shape, or one of them a row of features for all positions of the other."""
    rank = max(len(a.dims), len(b.dims))
    a, b = a.with_rank(rank), b.with_rank(rank)
    result = np.broadcast_shapes(a.shape, b.shape)
    if result != a.shape or (a.shape == b.shape and isinstance(call.builder.nodes[a.node].kind, Input)):
        a, b = b, a  # an input follows the other's stream order: that is free
    if result != a.shape:
        raise Refused(
            f"operands of shapes {a.shape} and {b.shape}: neither has the shape of the result; expand one of them"
        )
    a, b = refined(a, b) or _in_source_order(call, a, b)
    shared = [f for dim, other in zip(a.dims, b.dims, strict=True) if other for f in dim]
    b_order = [b.sequence[shared.index(f)] for f in sorted(shared)]
    if a.elements == b.elements:
        shape = call.builder.shape(a)
        b = call.builder.lay(b, b_order, shape.grid, shape.features)
    elif sorted(shared) == list(range(len(shared))):  # one number for all features of a position
        a = _with_grid(call, a, b.elements)
        b = call.builder.lay(b, b_order, call.builder.shape(a).grid, 1)
    else:  # one row of features for all positions
        order = [*(f for f in range(len(a.sizes)) if f not in shared), *sorted(shared)]
        if order != sorted(order) or call.builder.shape(a).features != b.elements:
            a = call.builder.lay(a, order, [a.sizes[f] for f in order[: len(order) - len(shared)]], b.elements)
        b = call.builder.lay(b, b_order, (), b.elements)
    return View(call.builder.emit(kind, [a.node, b.node]), a.sizes, a.dims)


def _with_grid(call: Call, view: View, tokens: int) -> View:
    """The same stream with ``tokens`` grid positions."""
    if call.builder.shape(view).tokens == tokens:
        return view
    return call.builder.lay(view, range(len(view.sizes)), (tokens,), view.elements // tokens)


def _in_source_order(call: Call, *views: View) -> tuple[View, View]:
    a, b = (call.builder.lay(v, v.sequence, (), v.elements).merged() for v in views)
    return a, b


def _compare(function: _Binary) -> Handler:
    def handler(call: Call) -> Value:
        found = _combined(call, call.required(0), call.required(1), "comparison", function)
        difference = _combined(call, call.required(0), call.required(1), "difference", np.subtract)
        if found is None or difference is None:
            raise Refused("a comparison of two different activations has no hardware form")
        require_sampled_crossings(difference.samples)
        return found

    return handler


def _where(call: Call) -> Value:
    condition, chosen, other = (call.required(i) for i in range(3))
    if isinstance(condition, Const):
        return _where_constant(call, condition.array.astype(bool), chosen, other)
    parts = [_function_of_one(call, v) for v in (condition, chosen, other)]
    known = tuple(p for p in parts if p is not None)
    expressions = [p for p in known if isinstance(p, Expr)]
    if len(known) < len(parts) or not expressions or any(e.base != expressions[0].base for e in expressions):
        raise Refused("a Where between different activations has no hardware form")
    samples = [p.samples if isinstance(p, Expr) else np.asarray(p) for p in known]
    depth = 1 + max(e.depth for e in expressions)
    return Expr(expressions[0].base, np.where(*samples), "where", known, (), depth)


def _where_constant(call: Call, keep: Array, chosen: Value, other: Value) -> Value:
    if keep.all() or not keep.any():
        return _unbroadcast(chosen if keep.all() else other, keep.shape, other if keep.all() else chosen)
    if isinstance(chosen, Const):
        chosen, other, keep = other, chosen, ~keep
    if not isinstance(other, Const) or not (other.array <= MASK_THRESHOLD).all():
        raise Refused("a Where that is no attention mask (it must put -inf, or less than -10,000, into masked scores)")
    view = call.as_view(chosen)
    if np.broadcast_shapes(view.shape, keep.shape) != view.shape:
        raise Refused(f"a mask of shape {keep.shape} for scores of shape {view.shape}")
    return Masked(view, np.broadcast_to(keep, view.shape), float(other.array.max()))


def _unbroadcast(value: Value, condition: tuple[int, ...], other: Value) -> Value:
    """The one operand that a Where always chooses, if it has the shape of the result."""
    shape = _shape_of(value)
    if np.broadcast_shapes(shape, condition, _shape_of(other)) != shape:
        raise Refused(f"a Where that copies a tensor of shape {shape} to a larger one; let the operator broadcast")
    return value


def _shape_of(value: Value) -> tuple[int, ...]:
    if isinstance(value, Poison):
        raise Refused("depends on a refused node")
    return value.shape


def _is_nan(call: Call) -> Value:
    # no operator of the IR makes NaN; exporters guard fully masked rows with this
    return Const(np.zeros((1,) * len(call.view(0).dims), dtype=bool))


HANDLERS: Handlers = {
    "Add": Declared(_add, 2, (), REALS),
    "Sub": Declared(_sub, 2, (), REALS),
    "Mul": Declared(_mul, 2, (), REALS),
    "Div": Declared(_div, 2, (), FLOATS),
    "Neg": Declared(_neg, 1, (), REALS),
    "Sum": Declared(_sum_of_many, ANY_NUMBER_OF_OPERANDS, (), FLOATS),
    "Greater": Declared(_compare(np.greater), 2, (), NUMBERS),
    "GreaterOrEqual": Declared(_compare(np.greater_equal), 2, (), NUMBERS),
    "Less": Declared(_compare(np.less), 2, (), NUMBERS),
    "LessOrEqual": Declared(_compare(np.less_equal), 2, (), NUMBERS),
    "Where": Declared(_where, 3, (), ANYTHING),
    "IsNaN": Declared(_is_nan, 1, (), FLOATS),
}
