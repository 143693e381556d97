"""The real functions that ``Op.POINTWISE`` may name, one definition for importer, float reference and tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from hwgen.numbers.arrays import Array

PointwiseFunction: TypeAlias = Callable[[Array, float], Array]

_erf_exact = np.frompyfunc(math.erf, 1, 1)


def erf(x: Array) -> Array:
    """The error function of an array of any shape: exact in float64, within 2e-7 in float32 (much faster)."""
    if x.dtype != np.float32:
        return np.asarray(_erf_exact(x.astype(np.float64)), dtype=np.float64)
    # Abramowitz and Stegun 7.1.26
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x))
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(np.sign(x) * (1.0 - poly * np.exp(-x * x)), dtype=np.float32)


def _sigmoid(x: Array) -> Array:
    # through tanh, which never overflows
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def _gelu_tanh(x: Array) -> Array:
    return np.asarray(0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x))))


POINTWISE: Mapping[str, PointwiseFunction] = {
    # alpha is used by elu, leaky_relu, hard_sigmoid (slope) and swish (x * sigmoid(alpha * x)); the others ignore it
    "gelu": lambda x, alpha: np.asarray(0.5 * x * (1.0 + erf(x * (1.0 / math.sqrt(2.0))))),
    "gelu_tanh": lambda x, alpha: _gelu_tanh(x),
    "sigmoid": lambda x, alpha: _sigmoid(x),
    "tanh": lambda x, alpha: np.tanh(x),
    "silu": lambda x, alpha: np.asarray(x * _sigmoid(x)),
    "swish": lambda x, alpha: np.asarray(x * _sigmoid(alpha * x)),
    "elu": lambda x, alpha: np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))),
    "leaky_relu": lambda x, alpha: np.asarray(np.where(x > 0, x, alpha * x)),
    "hard_swish": lambda x, alpha: np.asarray(x * np.clip(x * (1.0 / 6.0) + 0.5, 0.0, 1.0)),
    "hard_sigmoid": lambda x, alpha: np.clip(alpha * x + 0.5, 0.0, 1.0),
    "selu": lambda x, alpha: np.asarray(
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0)))
    ),
    "softplus": lambda x, alpha: _softplus(x),
    "mish": lambda x, alpha: np.asarray(x * np.tanh(_softplus(x))),
    "softsign": lambda x, alpha: np.asarray(x / (1.0 + np.abs(x))),
    "abs": lambda x, alpha: np.abs(x),
    "exp": lambda x, alpha: np.exp(x),
    "erf": lambda x, alpha: erf(x),
}
