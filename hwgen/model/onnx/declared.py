"""What the importer honours of each ONNX operator: every handler and every fold declares it.

Whatever else a node asks for (another attribute with a value that is not ONNX's default, a further operand, an element
type with arithmetic of its own) is refused by name, so nothing of a model is dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np
import onnx

from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import SourceNode, shown

FLOATS = frozenset({"float", "double", "float16", "bfloat16"})
# computed in real numbers: exact as long as a float32 holds the result; narrower integers would have to wrap
WIDE_INTEGERS = frozenset({"int32", "int64"})
INTEGERS = WIDE_INTEGERS | {"int8", "int16", "uint8", "uint16", "uint32", "uint64"}
NUMBERS = FLOATS | INTEGERS
REALS = FLOATS | WIDE_INTEGERS
BOOLEANS = frozenset({"bool"})
ANYTHING = NUMBERS | BOOLEANS
ANY_NUMBER_OF_OPERANDS = 1 << 16

_F = TypeVar("_F", bound=Callable[..., Any])
_REQUIRED = object()


@dataclass(frozen=True)
class Declared(Generic[_F]):
    """A function of the importer with what it honours. Nothing has a default: a new function has to say it.

    Attributes:
        function: the handler or fold.
        operands: how many operands it reads.
        attributes: names of the attributes that it honours with every value (or that change nothing here).
        types: element types of operands that it computes with as ONNX does.
    """

    function: _F
    operands: int
    attributes: tuple[str, ...]
    types: frozenset[str]


def table(*parts: Mapping[str, Declared[_F]]) -> dict[str, Declared[_F]]:
    """Several tables of operators as one.

    Raises:
        TypeError: a function has no declaration, or two stand for one operator.
    """
    joined: dict[str, Declared[_F]] = {}
    for part in parts:
        for operator, declared in part.items():
            if not isinstance(declared, Declared):
                raise TypeError(f"the function of {operator} does not declare what it honours")
            if operator in joined:
                raise TypeError(f"{operator} is in two tables")
            joined[operator] = declared
    return joined


def check(declared: Declared[_F], node: SourceNode, opset: int, types: Sequence[str | None]) -> None:
    """Check that a function honours all that a node asks for.

    Args:
        declared: the function of the node's operator.
        node: the node.
        opset: version of the operator set.
        types: element type of each operand; None where it is left out or its type is no matter.

    Raises:
        Refused: naming the operand or attribute that it does not honour.
    """
    for index, kind in enumerate(types):
        if index >= declared.operands and node.inputs[index]:
            raise Refused(f"its operand {index} ({shown(node.inputs[index])!r}) is not supported; leave it out")
        if kind is not None and kind not in declared.types:
            known = ", ".join(sorted(declared.types))
            raise Refused(f"operand {index} holds {kind} values; this operator is supported for {known}")
    for name, value in node.attributes.items():
        if name in declared.attributes:
            continue
        default = default_of(node.operator, name, opset)
        if isinstance(value, np.ndarray) or value != default:
            only = "" if default is _REQUIRED else f"; only its default {default!r} is"
            raise Refused(f"the attribute {shown(name)} with the value {shown(repr(value))} is not supported{only}")


def default_of(operator: str, attribute: str, opset: int) -> object:
    """ONNX's default of an attribute; an object equal to nothing else where it has none."""
    schema = schema_of(operator, opset)
    found = schema.attributes.get(attribute) if schema else None
    if found is None or not found.default_value.name:
        return _REQUIRED
    value = onnx.helper.get_attribute_value(found.default_value)
    return value.decode() if isinstance(value, bytes) else value


@lru_cache(maxsize=1024)
def schema_of(operator: str, opset: int) -> onnx.defs.OpSchema | None:
    """ONNX's description of an operator; None where the operator set does not have it."""
    try:
        return onnx.defs.get_schema(operator, opset, "")
    except onnx.defs.SchemaError:
        return None
