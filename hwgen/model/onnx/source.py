"""ONNX bytes to a plain, checked description: nothing after this module touches protobuf or trusts a number.

Limits are on counts and sizes that the file states, checked with Python integers before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from hwgen.errors import ModelError, NodeIssue
from hwgen.model.onnx.type_names import type_name
from hwgen.numbers.arrays import Array

OLDEST_OPSET = 8
MAX_FILE_BYTES = 1 << 30
MAX_NODES = 20_000
MAX_ELEMENTS = 1 << 28
MAX_RANK = 8
_SHOWN_CHARACTERS = 120
_AGAIN = "export the model again"
_CODE_CHARACTERS = frozenset('`$"\\')


@dataclass(frozen=True)
class SourceNode:
    """One ONNX node with its attributes as Python values (tensors as arrays; subgraphs as None)."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceInput:
    """One graph input; a symbolic axis is None, ``type`` is ONNX's name of the element type (``int64``)."""

    name: str
    shape: tuple[int | None, ...]
    type: str

    @property
    def integer(self) -> bool:
        """Whether it holds integers."""
        return "int" in self.type


@dataclass(frozen=True)
class Source:
    """A checked ONNX graph, nodes in topological order.

    ``types`` holds the element types, by ONNX's names, of inputs and constants as the file stores them: half precision
    and smaller floats become float32 when they are read.
    """

    opset: int
    nodes: tuple[SourceNode, ...]
    constants: Mapping[str, Array]
    inputs: tuple[SourceInput, ...]
    outputs: tuple[str, ...]
    types: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """How many numbers the file stores, in initialisers and in Constant nodes."""
        stored = [value for node in self.nodes if node.operator == "Constant" for value in node.attributes.values()]
        return sum(int(np.size(value)) for value in (*self.constants.values(), *stored))


def _text(value: str | bytes) -> str:
    """A string of the file; protobuf hands out bytes where it is no valid UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


def shown(name: str) -> str:
    """A name from the file as it may appear in messages: printable, at most 120 characters."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[: _SHOWN_CHARACTERS + 1])
    return clean if len(clean) <= _SHOWN_CHARACTERS else clean[: _SHOWN_CHARACTERS - 1] + "…"


def parse_onnx(data: bytes) -> Source:
    """Parse and check an ONNX file.

    Raises:
        ModelError: ``unsafe-model`` for external data, ``invalid-model`` for anything malformed, over a limit,
            cyclic, or with names that are missing or defined twice.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ModelError(f"the file has {len(data)} bytes; at most {MAX_FILE_BYTES} are read")
    model = _decode(data)
    opset = _opset(model)
    graph = model.graph
    if len(graph.node) > MAX_NODES or len(graph.initializer) > MAX_NODES:
        raise ModelError(
            f"the graph has {len(graph.node)} nodes; at most {MAX_NODES} are read. Simplify the model first"
        )
    if graph.sparse_initializer:
        raise ModelError("sparse initializers are not read; store the weights as dense tensors")
    constants = {_text(t.name): _array(t, _text(t.name)) for t in graph.initializer}
    if len(constants) != len(graph.initializer):
        raise ModelError(f"two initializers have the same name; {_AGAIN}")
    inputs = tuple(_input(i) for i in graph.input if _text(i.name) not in constants)
    nodes = _sorted([_node(n, i) for i, n in enumerate(graph.node)], {*constants, *(i.name for i in inputs)})
    outputs = tuple(_text(o.name) for o in graph.output)
    if not inputs or not outputs:
        raise ModelError("the graph has no input or no output that depends on data")
    _check_defined(nodes, outputs, {*constants, *(i.name for i in inputs)})
    types = {i.name: i.type for i in inputs} | {_text(t.name): type_name(t.data_type) for t in graph.initializer}
    return Source(opset, nodes, constants, inputs, outputs, types)


def _decode(data: bytes) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RecursionError) as error:
        raise ModelError(
            "the file is no ONNX model: it does not decode. Upload the .onnx file that the exporter wrote"
        ) from error
    if not model.HasField("graph") or not model.graph.node:
        raise ModelError("the file is no ONNX model, or its graph has no nodes")
    return model


def _opset(model: onnx.ModelProto) -> int:
    versions = {o.domain or "ai.onnx": o.version for o in model.opset_import}
    newest = onnx.defs.onnx_opset_version()
    opset = int(versions.get("ai.onnx", 0))
    if not OLDEST_OPSET <= opset <= newest:
        raise ModelError(f"the model uses ONNX opset {opset}; export it with an opset from {OLDEST_OPSET} to {newest}")
    if model.functions:
        raise ModelError(
            "the model has local functions; inline them (onnx.inliner.inline_local_functions) and upload again"
        )
    return opset


def _array(tensor: onnx.TensorProto, name: str) -> Array:
    """A tensor's values: floats as float32 (float64 stays), booleans and integers as they are."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ModelError(
            f"the tensor {shown(name)!r} is stored outside the file; external data is never read. "
            "Save the model as one file: torch.onnx.export(…, external_data=False), or onnx.save(onnx.load(p), p)",
            kind="unsafe-model",
        )
    dims = [int(d) for d in tensor.dims]
    elements = math.prod(dims)
    if len(dims) > MAX_RANK or any(d < 0 for d in dims) or elements > MAX_ELEMENTS:
        raise ModelError(f"the tensor {shown(name)!r} has the impossible or excessive shape {_short(dims)}")
    try:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        values = np.asarray(numpy_helper.to_array(tensor)) if elements else np.zeros(dims, kind)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ModelError(
            f"the values of the tensor {shown(name)!r} do not fit its shape {_short(dims)} or type; {_AGAIN}"
        ) from error
    if values.shape != tuple(dims):
        raise ModelError(f"the values of the tensor {shown(name)!r} do not fit its shape {_short(dims)}; {_AGAIN}")
    return as_supported(values, name)


def as_supported(values: Array, name: str) -> Array:
    """Values in one of the types that the importer computes with.

    Raises:
        ModelError: for NaN, strings and complex numbers.
    """
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float32)  # bfloat16 and the 8-bit floats of ml_dtypes
        except (TypeError, ValueError) as error:
            raise ModelError(f"the tensor {shown(name)!r} holds {values.dtype}, not numbers") from error
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ModelError(f"the tensor {shown(name)!r} holds NaN; export the model with finite weights")
    return values


def _short(dims: Iterable[int]) -> str:
    return shown(str(list(dims)))


def _input(value: onnx.ValueInfoProto) -> SourceInput:
    tensor, name = value.type.tensor_type, _text(value.name)
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        raise ModelError(f"the input {shown(name)!r} has no tensor shape; export the model with its input shapes")
    shape: list[int | None] = []
    for dim in tensor.shape.dim:
        size = int(dim.dim_value) if dim.HasField("dim_value") else None
        if size is not None and not 1 <= size <= MAX_ELEMENTS:
            raise ModelError(f"the input {shown(name)!r} has an axis of size {size}; sizes are 1 or more")
        shape.append(size)
    if len(shape) > MAX_RANK or math.prod(s or 1 for s in shape) > MAX_ELEMENTS:
        raise ModelError(f"the input {shown(name)!r} is too large: {shown(str(shape))}")
    kind = type_name(tensor.elem_type)
    if kind not in _INPUT_TYPES:
        raise ModelError(f"the input {shown(name)!r} holds {kind} values; use float32, or int64 token ids")
    return SourceInput(name, tuple(shape), kind)


_INPUT_TYPES = frozenset({"float", "float16", "double", "bfloat16", "int64", "int32", "int16", "int8", "uint8"})


def _node(proto: onnx.NodeProto, index: int) -> SourceNode:
    operator, outputs = _text(proto.op_type), tuple(map(_text, proto.output))
    if proto.domain not in ("", "ai.onnx"):
        operator = f"{_text(proto.domain)}.{operator}"
    name = _text(proto.name) or next((o for o in outputs if o), f"node {index}")
    _refuse_code(name, operator)
    attributes = {_text(a.name): _attribute(a, name) for a in proto.attribute}
    return SourceNode(name, operator, tuple(map(_text, proto.input)), outputs, attributes)


def _refuse_code(name: str, operator: str) -> None:
    """Refuse a name that would be code if it ever reached Verilog, C++, a shell or a page unescaped.

    Generated identifiers are made from nothing of the file, so this is a second wall: no exporter writes such names.
    """
    if any(c in _CODE_CHARACTERS or not c.isprintable() for c in name):
        reason = "its name holds a double quote, a backquote, `$`, a backslash or control characters; rename it"
        raise ModelError(
            f"the node {shown(name)!r} is refused: {reason} and export again",
            kind="unsafe-model",
            issues=[NodeIssue(shown(name), shown(operator), reason)],
        )


def _attribute(attribute: onnx.AttributeProto, node: str) -> object:
    if attribute.type == onnx.AttributeProto.TENSOR:
        return _array(attribute.t, node)
    if attribute.type == onnx.AttributeProto.STRING:
        return attribute.s.decode("utf-8", "replace")
    if attribute.type == onnx.AttributeProto.STRINGS:
        return tuple(s.decode("utf-8", "replace") for s in attribute.strings)
    if attribute.type in (onnx.AttributeProto.INT, onnx.AttributeProto.INTS):
        return int(attribute.i) if attribute.type == onnx.AttributeProto.INT else tuple(int(i) for i in attribute.ints)
    if attribute.type in (onnx.AttributeProto.FLOAT, onnx.AttributeProto.FLOATS):
        floats = [attribute.f] if attribute.type == onnx.AttributeProto.FLOAT else list(attribute.floats)
        if not all(math.isfinite(f) for f in floats):
            raise ModelError(
                f"the attribute {shown(_text(attribute.name))!r} of the node {shown(node)!r} is not a finite number"
            )
        return floats[0] if attribute.type == onnx.AttributeProto.FLOAT else tuple(floats)
    return None  # subgraphs and types: only operators that are refused carry them


def _sorted(nodes: list[SourceNode], known: set[str]) -> tuple[SourceNode, ...]:
    """Nodes in topological order (stable).

    Raises:
        ModelError: for a cycle, or a tensor that is defined twice.
    """
    producer: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for output in node.outputs:
            if output and (output in producer or output in known):
                raise ModelError(f"the tensor {shown(output)!r} is defined twice; {_AGAIN}")
            producer[output] = index
    waiting = [len({producer[i] for i in n.inputs if i in producer and i}) for n in nodes]
    users: dict[int, set[int]] = {}
    for index, node in enumerate(nodes):
        for name in node.inputs:
            if name and name in producer:
                users.setdefault(producer[name], set()).add(index)
    ready = [i for i, count in enumerate(waiting) if count == 0]
    order: list[int] = []
    while ready:
        index = ready.pop(0)
        order.append(index)
        for user in sorted(users.get(index, ())):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    if len(order) != len(nodes):
        stuck = next(i for i, count in enumerate(waiting) if count > 0)
        raise ModelError(f"the graph has a cycle through the node {shown(nodes[stuck].name)!r}; {_AGAIN}")
    return tuple(nodes[i] for i in order)


def _check_defined(nodes: Iterable[SourceNode], outputs: Iterable[str], known: set[str]) -> None:
    defined = known | {o for n in nodes for o in n.outputs}
    for node in nodes:
        for name in node.inputs:
            if name and name not in defined:
                raise ModelError(
                    f"the node {shown(node.name)!r} reads {shown(name)!r}, which nothing defines; {_AGAIN}"
                )
    for name in outputs:
        if name not in defined:
            raise ModelError(f"the output {shown(name)!r} is defined by no node")
