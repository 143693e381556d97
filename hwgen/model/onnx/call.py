"""One ONNX node with its operands, as the operator handlers see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.declared import Declared
from hwgen.model.onnx.expression import Expressions
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import SourceNode
from hwgen.model.onnx.values import Const, Deferred, Expr, Poison, Value, identity
from hwgen.model.onnx.view import View
from hwgen.numbers.arrays import Array

_T = TypeVar("_T", int, float, str)


MAX_DEPTH = 24


@dataclass(frozen=True)
class Call:
    """A node being imported.

    Attributes:
        node: the ONNX node.
        inputs: its operands; None where an optional one is left out.
        types: their element types, by ONNX's names.
        opset: version of the operator set.
        builder: where IR nodes go.
        expressions: where symbolic elementwise functions become tensors.
        values: what every tensor so far has become.
        producers: the node that makes each tensor.
    """

    node: SourceNode
    inputs: tuple[Value | None, ...]
    types: tuple[str | None, ...]
    opset: int
    builder: Builder
    expressions: Expressions
    values: Mapping[str, Value]
    producers: Mapping[str, SourceNode]

    def producer(self, name: str) -> SourceNode | None:
        """The node that makes a tensor; None for inputs and initializers."""
        return self.producers.get(name)

    def operand(self, index: int) -> Value | None:
        """An operand, None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def required(self, index: int) -> Value:
        """An operand that must be there.

        Raises:
            Refused: it is left out.
        """
        value = self.operand(index)
        if value is None:
            raise Refused(f"operand {index} is missing; export the model again")
        return value

    def view(self, index: int) -> View:
        """An operand as a tensor that depends on the inputs; what is symbolic, constant or deferred is built.

        Raises:
            Refused: this operator cannot take over what is deferred, and it has no hardware form.
        """
        return self.as_view(self.required(index))

    def as_view(self, value: Value) -> View:
        """See ``view``."""
        match value:
            case View():
                return value
            case Expr():
                return self.expressions.view(value)
            case Const(array):
                return self.builder.constant(array)
            case Deferred():
                return value.build(self.builder)
            case Poison():
                raise Refused("depends on a refused node")

    def expr(self, index: int) -> Expr:
        """An operand as a symbolic function."""
        return self.as_expr(self.required(index))

    def as_expr(self, value: Value) -> Expr:
        """See ``expr``; an expression that has grown deep is built, and a new one begins."""
        if isinstance(value, Expr) and value.depth < MAX_DEPTH:
            return value
        return identity(self.as_view(value))

    def constant(self, index: int) -> Array | None:
        """An operand that must be constant; None where it is left out.

        Raises:
            Refused: it depends on the inputs.
        """
        value = self.operand(index)
        if value is None:
            return None
        if not isinstance(value, Const):
            raise Refused(f"operand {index} must be a constant; export the model with fixed shapes and parameters")
        return value.array

    def weights(self, index: int) -> Array | None:
        """A constant operand in float64."""
        array = self.constant(index)
        return None if array is None else array.astype(np.float64)

    def attribute(self, name: str, default: _T) -> _T:
        """An attribute of the type of ``default``.

        Raises:
            Refused: it has another type.
        """
        value = self.node.attributes.get(name, default)
        if isinstance(default, float) and isinstance(value, int):
            return type(default)(value)
        if not isinstance(value, type(default)):
            raise Refused(f"the attribute {name} has the wrong type; export the model again")
        return value

    def integers(self, name: str, index: int | None = None) -> tuple[int, ...] | None:
        """A list of integers from an attribute, or from a constant operand in newer operator sets."""
        value = self.node.attributes.get(name)
        if value is None and index is not None:
            array = self.constant(index)
            if array is not None and array.dtype.kind not in "iu":
                raise Refused(f"{name} must be integers; export the model again")
            value = None if array is None else tuple(int(v) for v in array.reshape(-1))
        if isinstance(value, int):
            return (value,)
        if value is not None and not (isinstance(value, tuple) and all(isinstance(v, int) for v in value)):
            raise Refused(f"the attribute {name} is no list of integers; export the model again")
        return value

    def axis(self, value: int, rank: int) -> int:
        """An axis number with negative ones counted from the end.

        Raises:
            Refused: it is out of range.
        """
        if not -rank <= value < rank:
            raise Refused(f"axis {value} of a tensor with {rank} axes")
        return value % rank

    def axes(self, name: str, index: int | None, rank: int) -> tuple[int, ...] | None:
        """A list of distinct axis numbers, sorted; None where it is left out."""
        values = self.integers(name, index)
        if values is None:
            return None
        axes = sorted({self.axis(v, rank) for v in values})
        if len(axes) != len(values):
            raise Refused(f"{name} names an axis twice")
        return tuple(axes)


# one value, or a tuple of one for each output
Handler: TypeAlias = Callable[[Call], Value | tuple[Value, ...]]
Handlers: TypeAlias = Mapping[str, Declared[Handler]]
