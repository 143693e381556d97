"""The real functions that a ``Pointwise`` may name: one definition for importer, float evaluation and tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.numbers.arrays import Array


@dataclass(frozen=True)
class RealFunction:
    """A function of each element of an array, and of ``alpha``.

    Attributes:
        of: the function; returns an array of the same shape.
        unsigned: no result is negative, so its words have no sign.
    """

    of: Callable[[Array, float], Array]
    unsigned: bool

    def __call__(self, x: Array, alpha: float) -> Array:
        """The function of ``x`` (any shape)."""
        return self.of(x, alpha)


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


POINTWISE: Mapping[str, RealFunction] = {
    # alpha is used by elu, leaky_relu, hard_sigmoid (slope) and swish (x * sigmoid(alpha * x)); the others ignore it
    "gelu": RealFunction(lambda x, alpha: np.asarray(0.5 * x * (1.0 + erf(x * (1.0 / math.sqrt(2.0))))), False),
    "gelu_tanh": RealFunction(lambda x, alpha: _gelu_tanh(x), False),
    "sigmoid": RealFunction(lambda x, alpha: _sigmoid(x), True),
    "tanh": RealFunction(lambda x, alpha: np.tanh(x), False),
    "silu": RealFunction(lambda x, alpha: np.asarray(x * _sigmoid(x)), False),
    "swish": RealFunction(lambda x, alpha: np.asarray(x * _sigmoid(alpha * x)), False),
    "elu": RealFunction(lambda x, alpha: np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))), False),
    "leaky_relu": RealFunction(lambda x, alpha: np.asarray(np.where(x > 0, x, alpha * x)), False),
    "hard_swish": RealFunction(lambda x, alpha: np.asarray(x * np.clip(x * (1.0 / 6.0) + 0.5, 0.0, 1.0)), False),
    "hard_sigmoid": RealFunction(lambda x, alpha: np.clip(alpha * x + 0.5, 0.0, 1.0), True),
    "selu": RealFunction(
        lambda x, alpha: np.asarray(
            1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0)))
        ),
        False,
    ),
    "softplus": RealFunction(lambda x, alpha: _softplus(x), True),
    "mish": RealFunction(lambda x, alpha: np.asarray(x * np.tanh(_softplus(x))), False),
    "softsign": RealFunction(lambda x, alpha: np.asarray(x / (1.0 + np.abs(x))), False),
    "abs": RealFunction(lambda x, alpha: np.abs(x), False),
    "exp": RealFunction(lambda x, alpha: np.exp(x), True),
    "erf": RealFunction(lambda x, alpha: erf(x), False),
}
