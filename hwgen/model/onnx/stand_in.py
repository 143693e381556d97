"""What takes the place of a refused node's results, so that one refusal can name every offending node behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.model.kinds.sources import Input
from hwgen.model.onnx.builder import MAX_TENSOR_ELEMENTS, Builder
from hwgen.model.onnx.declared import FLOATS, schema_of
from hwgen.model.onnx.element_types import of_array
from hwgen.model.onnx.source import SourceNode
from hwgen.model.onnx.type_names import type_name
from hwgen.model.onnx.values import Const, Poison, Value
from hwgen.model.onnx.view import View, plain_view
from hwgen.numbers.arrays import Array

# values of larger constants have no part in a shape
_MAX_KNOWN_ELEMENTS = 64


def stand_ins(
    node: SourceNode, opset: int, operands: Sequence[Value | None], types: Sequence[str | None], builder: Builder
) -> tuple[Value, ...]:
    """A fresh input, or a constant where all operands are constant, for each output of a refused node.

    Only outputs in floating point of a shape that ONNX can infer get one. Whatever depends on the others is not looked
    at: refused integers are mostly shapes and positions, and what follows from them would be refused without a cause
    of its own.
    """
    shapes = _inferred(node, opset, operands, types)
    constant = all(isinstance(v, Const) for v in operands if v is not None)
    return tuple(_stand_in(shapes.get(name), constant, builder) for name in node.outputs)


def _stand_in(shape: tuple[int, ...] | None, constant: bool, builder: Builder) -> Value:
    if shape is None or not 0 < math.prod(shape) <= MAX_TENSOR_ELEMENTS:
        return Poison()
    if constant:
        return Const(np.broadcast_to(np.float32(1.0), shape))
    view = plain_view("", shape)
    made = builder.emit(Input(shape or (1,)), [])
    return View(made, view.sizes, view.dims)


def _inferred(
    node: SourceNode, opset: int, operands: Sequence[Value | None], types: Sequence[str | None]
) -> dict[str, tuple[int, ...]]:
    """Shapes of the outputs in floating point, as far as ONNX infers them."""
    schema = schema_of(node.operator, opset)
    if schema is None or any(isinstance(v, Poison) for v in operands):
        return {}
    known = {name: value for name, value in zip(node.inputs, operands, strict=True) if value is not None}
    kinds = dict(zip(node.inputs, types, strict=True))
    try:
        found = onnx.shape_inference.infer_node_outputs(
            schema,
            _proto(node),
            {name: _type(value, kinds[name]) for name, value in known.items()},
            {name: numpy_helper.from_array(a, name) for name, a in _small_constants(known).items()},
            opset_imports=[helper.make_opsetid("", opset)],
        )
    except Exception:  # of ONNX's checker and inference on a node that may be anything; it is refused already
        return {}
    return {name: dims for name, kind in found.items() if (dims := _float_dims(kind)) is not None}


def _proto(node: SourceNode) -> onnx.NodeProto:
    """The node without subgraphs."""
    proto = helper.make_node(node.operator, node.inputs, node.outputs)
    for name, value in node.attributes.items():
        if value is not None:
            stored = numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            proto.attribute.append(helper.make_attribute(name, stored))
    return proto


def _type(value: Value, kind: str | None) -> onnx.TypeProto:
    name = of_array(value.array) if isinstance(value, Const) else str(kind)
    return helper.make_tensor_type_proto(onnx.TensorProto.DataType.Value(name.upper()), _shape(value))


def _small_constants(values: Mapping[str, Value]) -> dict[str, Array]:
    """Shapes, axes, sizes: what a shape may follow from."""
    constants = {name: value.array for name, value in values.items() if isinstance(value, Const)}
    return {name: array for name, array in constants.items() if array.size <= _MAX_KNOWN_ELEMENTS}


def _float_dims(kind: onnx.TypeProto) -> tuple[int, ...] | None:
    tensor = kind.tensor_type
    if type_name(tensor.elem_type) not in FLOATS or not tensor.HasField("shape"):
        return None
    dims = [d.dim_value if d.HasField("dim_value") else 0 for d in tensor.shape.dim]
    return tuple(dims) if all(d > 0 for d in dims) else None


def _shape(value: Value) -> tuple[int, ...]:
    if isinstance(value, Poison):
        raise TypeError("a refused tensor has no shape")
    return value.shape
