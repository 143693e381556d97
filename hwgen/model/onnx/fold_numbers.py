"""Folding of constant nodes that compute."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hwgen.model.onnx.fold_operands import Fold, Folds, Operands, limited
from hwgen.model.pointwise import erf
from hwgen.numbers.arrays import Array


def _div(a: Array, b: Array) -> Array:
    if a.dtype.kind not in "iu" or b.dtype.kind not in "iu":
        return np.asarray(a / b)
    if (b == 0).any():
        raise ValueError("an integer division by zero")
    quotient = a // b  # rounds down, ONNX rounds towards zero
    return np.asarray(quotient + ((a % b != 0) & ((a < 0) != (b < 0))))


def _mod(o: Operands) -> Array:
    limited(np.broadcast_shapes(o[0].shape, o[1].shape))
    if o[1].dtype.kind in "iu" and (o[1] == 0).any():
        raise ValueError("an integer division by zero")
    # With fmod the result has the sign of the dividend, else that of the divisor.
    return np.fmod(o[0], o[1]) if o.attribute("fmod", 0) else np.mod(o[0], o[1])


def _power(a: Array, b: Array) -> Array:
    return np.power(a.astype(np.float64), b).astype(a.dtype)


def _cumsum(o: Operands) -> Array:
    if o.attribute("exclusive", 0) or o.attribute("reverse", 0):
        raise ValueError("an exclusive or reversed CumSum")
    return np.cumsum(o[0], axis=int(o[1].reshape(-1)[0]))


def _matmul(o: Operands) -> Array:
    if o[0].size * o[1].shape[-1] > 1 << 32:
        raise ValueError("a constant matrix product of more than 2^32 multiplications")
    limited([math.prod(o[0].shape[:-1]), o[1].shape[-1]])
    return np.asarray(np.matmul(o[0], o[1]))


def _binary(function: Callable[[Array, Array], Array]) -> Fold:
    def rule(o: Operands) -> Array:
        limited(np.broadcast_shapes(o[0].shape, o[1].shape))
        return function(o[0], o[1])

    return rule


def _unary(function: Callable[[Array], Array]) -> Fold:
    return lambda o: np.asarray(function(o[0]))


def _many(function: Callable[[Array, Array], Array]) -> Fold:
    def rule(o: Operands) -> Array:
        result = o[0]
        for i in range(1, len(o.inputs)):
            limited(np.broadcast_shapes(result.shape, o[i].shape))
            result = function(result, o[i])
        return result

    return rule


def _reduce(function: Callable[..., Array]) -> Fold:
    def rule(o: Operands) -> Array:
        axes = o.integers("axes", 1)
        if not axes and o.attribute("noop_with_empty_axes", 0):
            return o[0]
        chosen = tuple(axes) if axes else None  # numpy takes an empty tuple for no axis at all
        return np.asarray(function(o[0], axis=chosen, keepdims=bool(o.attribute("keepdims", 1))))

    return rule


RULES: Folds = {
    "CumSum": _cumsum,
    "MatMul": _matmul,
    "Add": _binary(np.add),
    "Sub": _binary(np.subtract),
    "Mul": _binary(np.multiply),
    "Div": _binary(_div),
    "Pow": _binary(_power),
    "Mod": _mod,
    "Equal": _binary(np.equal),
    "Less": _binary(np.less),
    "LessOrEqual": _binary(np.less_equal),
    "Greater": _binary(np.greater),
    "GreaterOrEqual": _binary(np.greater_equal),
    "And": _binary(np.logical_and),
    "Or": _binary(np.logical_or),
    "Max": _many(np.maximum),
    "Min": _many(np.minimum),
    "Not": _unary(np.logical_not),
    "Neg": _unary(np.negative),
    "Abs": _unary(np.abs),
    "Sqrt": _unary(np.sqrt),
    "Reciprocal": _unary(np.reciprocal),
    "Exp": _unary(np.exp),
    "Log": _unary(np.log),
    "Erf": _unary(lambda a: erf(a.astype(np.float64)).astype(a.dtype)),
    "Sin": _unary(np.sin),
    "Cos": _unary(np.cos),
    "Tanh": _unary(np.tanh),
    "Floor": _unary(np.floor),
    "Ceil": _unary(np.ceil),
    "IsNaN": _unary(np.isnan),
    "IsInf": _unary(np.isinf),
    "ReduceSum": _reduce(np.sum),
    "ReduceProd": _reduce(np.prod),
    "ReduceMean": _reduce(np.mean),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
}
