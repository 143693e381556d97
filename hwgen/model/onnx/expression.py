"""Recognises elementwise functions by their values and turns symbolic expressions into IR nodes."""

from __future__ import annotations

import math

import numpy as np

from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.clamps import Clip, Relu
from hwgen.model.kinds.kind import Kind
from hwgen.model.kinds.pointwise import Pointwise
from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import SAMPLE_POINTS, Expr
from hwgen.model.onnx.view import View
from hwgen.model.pointwise import POINTWISE
from hwgen.numbers.arrays import Array

_UNBOUNDED = float(np.finfo(np.float32).max)
_TOLERANCE = 2e-6
_PLAIN = (
    "gelu",
    "gelu_tanh",
    "silu",
    "hard_swish",
    "sigmoid",
    "tanh",
    "mish",
    "softplus",
    "softsign",
    "selu",
    "abs",
    "exp",
    "erf",
)


class Expressions:
    """Builds the tensors of expressions, each at most once."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._built: dict[int, tuple[Expr, View]] = {}

    def view(self, expr: Expr) -> View:
        """The tensor of an expression.

        Raises:
            Refused: some part of it is no function that the hardware has.
        """
        if expr.operator == "identity":
            return expr.base
        if id(expr) not in self._built:
            view = self._recognised(expr) or self._as_written(expr)
            self._built[id(expr)] = (expr, view)  # holding the expression keeps its id in use
        return self._built[id(expr)][1]

    def _recognised(self, expr: Expr) -> View | None:
        line = affine(expr.samples)
        if line is not None:
            return self._affine(expr.base, *line)
        found = recognise(expr.samples)
        if found is None:
            return None
        return self._unary(expr.base, found)

    def _affine(self, base: View, scale: float, offset: float) -> View:
        view = base if scale == 1.0 else self._builder.with_constant(base, Multiply(), np.asarray(scale))
        return view if offset == 0.0 else self._builder.with_constant(view, Add(), np.asarray(offset))

    def _unary(self, base: View, kind: Kind) -> View:
        return View(self._builder.emit(kind, [base.node]), base.sizes, base.dims)

    def _as_written(self, expr: Expr) -> View:
        if expr.operator in ("add", "mul"):
            kind = Add() if expr.operator == "add" else Multiply()
            tensors = [self.view(o) for o in expr.operands if isinstance(o, Expr)]
            numbers = [o for o in expr.operands if not isinstance(o, Expr)]
            if numbers:
                return self._builder.with_constant(tensors[0], kind, np.asarray(numbers[0]))
            return View(self._builder.emit(kind, [t.node for t in tensors]), tensors[0].sizes, tensors[0].dims)
        operand = expr.operands[0]
        if not isinstance(operand, Expr):
            raise Refused(f"the function {expr.operator} of a constant")
        if expr.operator == "relu":
            return self._unary(self.view(operand), Relu())
        if expr.operator == "clip":
            return self._unary(self.view(operand), Clip(expr.parameters[0], expr.parameters[1]))
        if expr.operator in POINTWISE:
            alpha = expr.parameters[0] if expr.parameters else 0.0
            return self._unary(self.view(operand), Pointwise(expr.operator, alpha))
        raise Refused(
            f"the function {expr.operator} of an activation has no hardware operator, alone or together with its "
            "neighbours; use ReLU, Clip, GELU, SiLU, Sigmoid, Tanh, ELU, LeakyReLU, HardSwish, Softplus or Mish"
        )


def affine(samples: Array) -> tuple[float, float] | None:
    """Scale and offset where the samples are those of ``scale * x + offset``."""
    if samples.dtype == bool or not np.isfinite(samples).all():
        return None
    one, zero = (int(np.argmin(np.abs(SAMPLE_POINTS - x))) for x in (1.0, 0.0))
    offset = float(samples[zero])
    scale = float(samples[one]) - offset
    return (scale, offset) if _matches(samples, scale * SAMPLE_POINTS + offset) else None


def recognise(samples: Array) -> Kind | None:
    """The single IR operator that has these values at ``SAMPLE_POINTS``."""
    if samples.dtype == bool or np.isnan(samples).any():
        return None
    if _matches(samples, np.maximum(SAMPLE_POINTS, 0.0)):
        return Relu()
    low, high = float(samples.min()), float(samples.max())
    if low < high and _matches(samples, np.clip(SAMPLE_POINTS, low, high)):
        reach = float(SAMPLE_POINTS.max())
        return Clip(low if low > -reach else -_UNBOUNDED, high if high < reach else _UNBOUNDED)
    with np.errstate(all="ignore"):
        for name in _PLAIN:
            if _matches(samples, POINTWISE[name](SAMPLE_POINTS, 0.0)):
                return Pointwise(name, 0.0)
        for name, alpha in _fitted(samples):
            if _matches(samples, POINTWISE[name](SAMPLE_POINTS, alpha)):
                return Pointwise(name, alpha)
    return None


def _fitted(samples: Array) -> list[tuple[str, float]]:
    """Functions with a parameter, the parameter read off one or two samples."""

    def at(x: float) -> float:
        return float(samples[int(np.argmin(np.abs(SAMPLE_POINTS - x)))])

    found = [("leaky_relu", -at(-1.0)), ("elu", -at(-100.0)), ("hard_sigmoid", (at(0.5) - at(-0.5)))]
    if 0.0 < at(1.0) < 1.0:  # x * sigmoid(alpha * x) at x = 1
        found.append(("swish", math.log(at(1.0) / (1.0 - at(1.0)))))
    return [(name, round(alpha, 9)) for name, alpha in found if math.isfinite(alpha)]


def _matches(samples: Array, expected: Array) -> bool:
    with np.errstate(all="ignore"):
        close = np.abs(samples - expected) <= _TOLERANCE * (1.0 + np.abs(expected))
    return bool(np.all(close | (samples == expected)))
