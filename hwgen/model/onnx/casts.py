"""Casts of activations: allowed where they change no value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.declared import ANYTHING, FLOATS, INTEGERS, WIDE_INTEGERS, Declared
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.type_names import type_name
from hwgen.model.onnx.values import Expr, Value


def _cast(call: Call) -> Value:
    return _converted(call, type_name(call.attribute("to", 0)))


def _cast_like(call: Call) -> Value:
    return _converted(call, call.types[1] or "")


def _converted(call: Call, target: str) -> Value:
    """The operand in another element type, where that changes no value (floats stand for real numbers here)."""
    value, source = call.required(0), call.types[0] or ""
    if source == "bool" and target in FLOATS | INTEGERS:
        return replace(value, samples=value.samples.astype(np.float64)) if isinstance(value, Expr) else value
    widened = source in INTEGERS and target in INTEGERS and np.can_cast(source, target)
    if target in FLOATS or widened or {source, target} <= WIDE_INTEGERS:
        return value
    raise Refused(f"a Cast of {source} activations to {target} would round them; keep them in floating point")


HANDLERS: Handlers = {
    "Cast": Declared(_cast, 1, ("to",), ANYTHING),
    "CastLike": Declared(_cast_like, 2, (), ANYTHING),
}
