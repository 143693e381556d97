"""Functions of one activation: they stay symbolic until something needs their tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.model.onnx.call import Call, Handler, Handlers
from hwgen.model.onnx.values import Const, Expr, Refused, Value, apply, combine
from hwgen.model.pointwise import POINTWISE
from hwgen.numbers.arrays import Array

_UNBOUNDED = float(np.finfo(np.float32).max)


def _pow(call: Call) -> Value:
    exponent = call.constant(1)
    if exponent is None or exponent.size != 1:
        raise Refused("a power with an exponent that is no single constant")
    power = float(exponent.reshape(-1)[0])
    expr = call.expr(0)
    if power == 2.0:
        return combine(expr, expr, "mul", np.multiply)
    if power == 3.0:
        return combine(combine(expr, expr, "mul", np.multiply), expr, "mul", np.multiply)
    return apply(expr, f"power {power:g}", lambda x: np.power(x, power))


def _clip(call: Call) -> Value:
    if call.opset < 11:
        low, high = call.attribute("min", -_UNBOUNDED), call.attribute("max", _UNBOUNDED)
    else:
        low, high = _limit(call, 1, -_UNBOUNDED), _limit(call, 2, _UNBOUNDED)
    return _clipped(call.expr(0), low, high)


def _limit(call: Call, index: int, unbounded: float) -> float:
    """A bound of a Clip; a lacking one is ``unbounded``."""
    bound = call.constant(index)
    if bound is None:
        return unbounded
    if bound.size != 1:
        raise Refused("a Clip with a bound that is no single number")
    return float(bound.reshape(-1)[0])


def _clipped(expr: Expr, low: float, high: float) -> Expr:
    if not low < high:
        raise Refused(f"clipping to the empty range {low} to {high}")
    low, high = max(low, -_UNBOUNDED), min(high, _UNBOUNDED)
    if low == 0.0 and high == _UNBOUNDED:
        return apply(expr, "relu", lambda x: np.maximum(x, 0.0))
    return apply(expr, "clip", lambda x: np.clip(x, low, high), (low, high))


def _bound(largest: bool) -> Handler:
    def handler(call: Call) -> Value:
        values = [call.required(i) for i in range(len(call.inputs))]
        numbers = [v.array for v in values if isinstance(v, Const)]
        others = [v for v in values if not isinstance(v, Const)]
        if len(others) != 1 or any(n.size != 1 for n in numbers):
            raise Refused("Max and Min of an activation and a single number only; use MaxPool or ReLU")
        expr = call.as_expr(others[0])
        limit = [float(n.reshape(-1)[0]) for n in numbers]
        return _clipped(expr, max(limit), _UNBOUNDED) if largest else _clipped(expr, -_UNBOUNDED, min(limit))

    return handler


def _unary(name: str, alpha: float = 0.0, attribute: str = "") -> Handler:
    """A function of the table; its alpha comes from the attribute, or is fixed."""

    def handler(call: Call) -> Value:
        value = call.attribute(attribute, alpha) if attribute else alpha
        return apply(call.expr(0), name, lambda x: POINTWISE[name](x, value), (value,))

    return handler


def _step(name: str, function: Callable[[Array], Array]) -> Handler:
    """A function that the hardware knows only as a part of others."""
    return lambda call: apply(call.expr(0), name, function)


def _hard_sigmoid(call: Call) -> Value:
    alpha, beta = call.attribute("alpha", 0.2), call.attribute("beta", 0.5)
    if beta != 0.5:
        raise Refused(f"a HardSigmoid with beta {beta:g}; only 0.5 is supported")
    return apply(call.expr(0), "hard_sigmoid", lambda x: POINTWISE["hard_sigmoid"](x, alpha), (alpha,))


def _gelu(call: Call) -> Value:
    name = "gelu_tanh" if call.attribute("approximate", "none") == "tanh" else "gelu"
    return apply(call.expr(0), name, lambda x: POINTWISE[name](x, 0.0))


def _prelu(call: Call) -> Value:
    slope = call.weights(1)
    if slope is None or slope.size != 1:
        raise Refused("a PRelu with one slope per channel; use one slope for all channels (LeakyRelu)")
    alpha = float(slope.reshape(-1)[0])
    return apply(call.expr(0), "leaky_relu", lambda x: POINTWISE["leaky_relu"](x, alpha), (alpha,))


HANDLERS: Handlers = {
    "Pow": _pow,
    "Clip": _clip,
    "Max": _bound(largest=True),
    "Min": _bound(largest=False),
    "Relu": lambda call: apply(call.expr(0), "relu", lambda x: np.maximum(x, 0.0)),
    "Sigmoid": _unary("sigmoid"),
    "Tanh": _unary("tanh"),
    "Erf": _unary("erf"),
    "Exp": _unary("exp"),
    "Abs": _unary("abs"),
    "Softplus": _unary("softplus"),
    "Softsign": _unary("softsign"),
    "Mish": _unary("mish"),
    "HardSwish": _unary("hard_swish"),
    "Swish": _unary("swish", 1.0, "alpha"),
    "Elu": _unary("elu", 1.0, "alpha"),
    "LeakyRelu": _unary("leaky_relu", 0.01, "alpha"),
    "Selu": _unary("selu"),
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "PRelu": _prelu,
    "Sqrt": _step("square root", np.sqrt),
    "Reciprocal": _step("reciprocal", np.reciprocal),
    "Log": _step("logarithm", np.log),
    "Sign": _step("sign", np.sign),
}
