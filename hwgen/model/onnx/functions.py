"""Functions of one activation: they stay symbolic until something needs their tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.model.onnx.call import Call, Handler, Handlers
from hwgen.model.onnx.declared import ANY_NUMBER_OF_OPERANDS, FLOATS, NUMBERS, REALS, Declared
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import shown
from hwgen.model.onnx.values import Const, Expr, Value, apply, combine, require_sampled_crossings
from hwgen.model.pointwise import POINTWISE
from hwgen.numbers.arrays import Array

SELU_ALPHA, SELU_GAMMA = 1.6732631921768188, 1.0507010221481323  # ONNX's defaults, float32
_GELU = {"none": "gelu", "tanh": "gelu_tanh"}
_UNBOUNDED = float(np.finfo(np.float32).max)


def _pow(call: Call) -> Value:
    exponent = call.constant(1)
    if exponent is None or exponent.size != 1 or exponent.ndim > 1:
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
        if not numbers:
            return expr
        if max(n.ndim for n in numbers) > len(expr.base.dims):
            raise Refused("a bound with more axes than the activation; give a single number")
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


def _relu(call: Call) -> Value:
    return apply(call.expr(0), "relu", lambda x: np.maximum(x, 0.0))


def _sign(call: Call) -> Value:
    expr = call.expr(0)
    require_sampled_crossings(expr.samples)
    return apply(expr, "sign", np.sign)


def _selu(call: Call) -> Value:
    alpha, gamma = call.attribute("alpha", SELU_ALPHA), call.attribute("gamma", SELU_GAMMA)
    elu = apply(call.expr(0), "elu", lambda x: POINTWISE["elu"](x, alpha), (alpha,))
    return combine(elu, gamma, "mul", np.multiply)


def _hard_sigmoid(call: Call) -> Value:
    alpha, beta = call.attribute("alpha", 0.2), call.attribute("beta", 0.5)
    if beta != 0.5:
        line = combine(combine(call.expr(0), alpha, "mul", np.multiply), beta, "add", np.add)
        return _clipped(line, 0.0, 1.0)
    return apply(call.expr(0), "hard_sigmoid", lambda x: POINTWISE["hard_sigmoid"](x, alpha), (alpha,))


def _gelu(call: Call) -> Value:
    approximate = call.attribute("approximate", "none")
    if approximate not in _GELU:
        raise Refused(f"a Gelu with the approximation {shown(approximate)!r}; use none or tanh")
    name = _GELU[approximate]
    return apply(call.expr(0), name, lambda x: POINTWISE[name](x, 0.0))


def _prelu(call: Call) -> Value:
    slope = call.weights(1)
    if slope is None or slope.size != 1:
        raise Refused("a PRelu with one slope per channel; use one slope for all channels (LeakyRelu)")
    alpha = float(slope.reshape(-1)[0])
    return apply(call.expr(0), "leaky_relu", lambda x: POINTWISE["leaky_relu"](x, alpha), (alpha,))


HANDLERS: Handlers = {
    "Pow": Declared(_pow, 2, (), FLOATS),
    "Clip": Declared(_clip, 3, ("min", "max"), NUMBERS),
    "Max": Declared(_bound(largest=True), ANY_NUMBER_OF_OPERANDS, (), NUMBERS),
    "Min": Declared(_bound(largest=False), ANY_NUMBER_OF_OPERANDS, (), NUMBERS),
    "Relu": Declared(_relu, 1, (), NUMBERS),
    "Sigmoid": Declared(_unary("sigmoid"), 1, (), FLOATS),
    "Tanh": Declared(_unary("tanh"), 1, (), FLOATS),
    "Erf": Declared(_unary("erf"), 1, (), FLOATS),
    "Exp": Declared(_unary("exp"), 1, (), FLOATS),
    "Abs": Declared(_unary("abs"), 1, (), REALS),
    "Softplus": Declared(_unary("softplus"), 1, (), FLOATS),
    "Softsign": Declared(_unary("softsign"), 1, (), FLOATS),
    "Mish": Declared(_unary("mish"), 1, (), FLOATS),
    "HardSwish": Declared(_unary("hard_swish"), 1, (), FLOATS),
    "Swish": Declared(_unary("swish", 1.0, "alpha"), 1, ("alpha",), FLOATS),
    "Elu": Declared(_unary("elu", 1.0, "alpha"), 1, ("alpha",), FLOATS),
    "LeakyRelu": Declared(_unary("leaky_relu", 0.01, "alpha"), 1, ("alpha",), FLOATS),
    "Selu": Declared(_selu, 1, ("alpha", "gamma"), FLOATS),
    "HardSigmoid": Declared(_hard_sigmoid, 1, ("alpha", "beta"), FLOATS),
    "Gelu": Declared(_gelu, 1, ("approximate",), FLOATS),
    "PRelu": Declared(_prelu, 2, (), FLOATS),
    "Sqrt": Declared(_step("square root", np.sqrt), 1, (), FLOATS),
    "Reciprocal": Declared(_step("reciprocal", np.reciprocal), 1, (), FLOATS),
    "Log": Declared(_step("logarithm", np.log), 1, (), FLOATS),
    "Sign": Declared(_sign, 1, (), FLOATS),
}
