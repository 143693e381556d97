"""Element types of tensors, by ONNX's own description of each operator. Names are those of ONNX, such as ``int64``."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from hwgen.model.onnx.declared import schema_of
from hwgen.model.onnx.source import SourceNode
from hwgen.model.onnx.type_names import type_name
from hwgen.numbers.arrays import Array

UNKNOWN = "unknown"
_TYPE_FROM_ATTRIBUTE = {"Cast": "to"}
_TYPE_FROM_OPERAND = {"CastLike": 1}


def of_array(array: Array) -> str:
    """The element type of a constant."""
    return type_name(onnx.helper.np_dtype_to_tensor_dtype(array.dtype))


def of_outputs(node: SourceNode, opset: int, operands: Sequence[str | None]) -> tuple[str, ...]:
    """Element types of a node's outputs from those of its operands; ``unknown`` where ONNX does not say."""
    schema = schema_of(node.operator, opset)
    if schema is None:
        return (UNKNOWN,) * len(node.outputs)
    pairs = zip(_variables(schema.inputs, len(operands)), operands, strict=True)
    named = {variable: kind for variable, kind in reversed(list(pairs)) if kind is not None}
    if node.operator in _TYPE_FROM_ATTRIBUTE:
        number = node.attributes.get(_TYPE_FROM_ATTRIBUTE[node.operator])
        return (type_name(number) if isinstance(number, int) else UNKNOWN,) * len(node.outputs)
    if node.operator in _TYPE_FROM_OPERAND and len(operands) > _TYPE_FROM_OPERAND[node.operator]:
        return (operands[_TYPE_FROM_OPERAND[node.operator]] or UNKNOWN,) * len(node.outputs)
    return tuple(named.get(v, _only_type(schema, v)) for v in _variables(schema.outputs, len(node.outputs)))


def _variables(formals: Sequence[onnx.defs.OpSchema.FormalParameter], count: int) -> list[str]:
    """The type variable, or the type, of each of ``count`` operands or outputs; the last one may stand for many."""
    return [formals[min(i, len(formals) - 1)].type_str if formals else "" for i in range(count)]


def _only_type(schema: onnx.defs.OpSchema, variable: str) -> str:
    """The one type that an unbound variable may stand for (or a type itself); unknown where there are several."""
    allowed = next((c.allowed_type_strs for c in schema.type_constraints if c.type_param_str == variable), [variable])
    return allowed[0][len("tensor(") : -1] if len(allowed) == 1 and allowed[0].startswith("tensor(") else UNKNOWN
