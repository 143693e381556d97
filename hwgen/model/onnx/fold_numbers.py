"""Folding of constant nodes that compute."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hwgen.model.onnx.declared import ANY_NUMBER_OF_OPERANDS, ANYTHING, BOOLEANS, FLOATS, NUMBERS, Declared
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


def _batch_norm(o: Operands) -> Array:
    """Standardised weights are spelt as batch norm with the statistics of the weights themselves."""
    if o[0].ndim < 2:
        raise ValueError("a BatchNormalization of a tensor without channels")
    rest = tuple(a for a in range(o[0].ndim) if a != 1)
    data, column = o[0].astype(np.float64), [-1 if a == 1 else 1 for a in range(o[0].ndim)]
    mean, variance = (data.mean(rest), data.var(rest)) if o.attribute("training_mode", 0) else (o[3], o[4])
    factor = o[1] / np.sqrt(variance + o.attribute("epsilon", 1e-5))
    return np.asarray(data * factor.reshape(column) + (o[2] - mean * factor).reshape(column)).astype(o[0].dtype)


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


_REDUCTION = ("axes", "keepdims", "noop_with_empty_axes")

RULES: Folds = {
    "CumSum": Declared(_cumsum, 2, ("exclusive", "reverse"), NUMBERS),
    "MatMul": Declared(_matmul, 2, (), NUMBERS),
    "BatchNormalization": Declared(_batch_norm, 5, ("epsilon", "momentum", "training_mode"), FLOATS),
    "Add": Declared(_binary(np.add), 2, (), NUMBERS),
    "Sub": Declared(_binary(np.subtract), 2, (), NUMBERS),
    "Mul": Declared(_binary(np.multiply), 2, (), NUMBERS),
    "Div": Declared(_binary(_div), 2, (), NUMBERS),
    "Pow": Declared(_binary(_power), 2, (), NUMBERS),
    "Mod": Declared(_mod, 2, ("fmod",), NUMBERS),
    "Equal": Declared(_binary(np.equal), 2, (), ANYTHING),
    "Less": Declared(_binary(np.less), 2, (), NUMBERS),
    "LessOrEqual": Declared(_binary(np.less_equal), 2, (), NUMBERS),
    "Greater": Declared(_binary(np.greater), 2, (), NUMBERS),
    "GreaterOrEqual": Declared(_binary(np.greater_equal), 2, (), NUMBERS),
    "And": Declared(_binary(np.logical_and), 2, (), BOOLEANS),
    "Or": Declared(_binary(np.logical_or), 2, (), BOOLEANS),
    "Max": Declared(_many(np.maximum), ANY_NUMBER_OF_OPERANDS, (), NUMBERS),
    "Min": Declared(_many(np.minimum), ANY_NUMBER_OF_OPERANDS, (), NUMBERS),
    "Sum": Declared(_many(np.add), ANY_NUMBER_OF_OPERANDS, (), FLOATS),
    "Not": Declared(_unary(np.logical_not), 1, (), BOOLEANS),
    "Neg": Declared(_unary(np.negative), 1, (), NUMBERS),
    "Abs": Declared(_unary(np.abs), 1, (), NUMBERS),
    "Sqrt": Declared(_unary(np.sqrt), 1, (), FLOATS),
    "Reciprocal": Declared(_unary(np.reciprocal), 1, (), FLOATS),
    "Exp": Declared(_unary(np.exp), 1, (), FLOATS),
    "Log": Declared(_unary(np.log), 1, (), FLOATS),
    "Erf": Declared(_unary(lambda a: erf(a.astype(np.float64)).astype(a.dtype)), 1, (), FLOATS),
    "Sin": Declared(_unary(np.sin), 1, (), FLOATS),
    "Cos": Declared(_unary(np.cos), 1, (), FLOATS),
    "Tanh": Declared(_unary(np.tanh), 1, (), FLOATS),
    "Floor": Declared(_unary(np.floor), 1, (), FLOATS),
    "Ceil": Declared(_unary(np.ceil), 1, (), FLOATS),
    "IsNaN": Declared(_unary(np.isnan), 1, (), FLOATS),
    "IsInf": Declared(_unary(np.isinf), 1, (), FLOATS),
    "ReduceSum": Declared(_reduce(np.sum), 2, _REDUCTION, NUMBERS),
    "ReduceProd": Declared(_reduce(np.prod), 2, _REDUCTION, NUMBERS),
    "ReduceMean": Declared(_reduce(np.mean), 2, _REDUCTION, FLOATS),
    "ReduceMax": Declared(_reduce(np.max), 2, _REDUCTION, NUMBERS),
    "ReduceMin": Declared(_reduce(np.min), 2, _REDUCTION, NUMBERS),
}
