"""Small ONNX models and their comparison with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from hwgen.model.float_reference import run
from hwgen.model.graph import Graph
from hwgen.model.kinds.families import Source
from hwgen.model.kinds.pointwise import Pointwise
from hwgen.model.onnx.source import parse_onnx
from hwgen.model.onnx.walk import to_graph
from hwgen.numbers.arrays import Array

N = helper.make_node


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str] = ("y",),
    constants: Mapping[str, Array] | None = None,
    opset: int = 17,
    integer: Sequence[str] = (),
) -> onnx.ModelProto:
    """A model; output shapes are left open."""
    graph = helper.make_graph(
        list(nodes),
        "g",
        [
            helper.make_tensor_value_info(n, TensorProto.INT64 if n in integer else TensorProto.FLOAT, list(s))
            for n, s in inputs.items()
        ],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=min(10, 3 + opset // 3))


def imported(proto: onnx.ModelProto) -> Graph:
    return to_graph(parse_onnx(proto.SerializeToString()))


def feeds_of(proto: onnx.ModelProto, seed: int = 0) -> dict[str, Array]:
    """Random inputs for a batch of one."""
    rng = np.random.default_rng(seed)
    feeds: dict[str, Array] = {}
    for value in proto.graph.input:
        shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
        if value.type.tensor_type.elem_type == TensorProto.INT64:
            feeds[value.name] = rng.integers(0, 5, shape)
        else:
            feeds[value.name] = rng.normal(size=shape).astype(np.float32)
    return feeds


def compare(proto: onnx.ModelProto, tolerance: float = 1e-4, feeds: Mapping[str, Array] | None = None) -> Graph:
    """Import, evaluate and compare every output with onnxruntime; returns the graph."""
    graph = imported(proto)
    feeds = feeds or feeds_of(proto)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    expected = session.run(None, dict(feeds))
    for wanted, got in zip(expected, run(graph, feeds), strict=True):
        assert got.shape in (wanted.shape, (1, *wanted.shape))
        np.testing.assert_allclose(got.reshape(wanted.shape), wanted, rtol=tolerance, atol=tolerance)
    return graph


def ops(graph: Graph) -> list[str]:
    """Operators of a graph, inputs and constants left out."""
    return [n.kind.name for n in graph.nodes if not isinstance(n.kind, Source)]


def weights(*shape: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def attributes(**values: Any) -> dict[str, Any]:
    """Keyword arguments without those that are None."""
    return {k: v for k, v in values.items() if v is not None}


def behind_linear(
    nodes: Sequence[onnx.NodeProto], constants: dict[str, Array] | None = None, opset: int = 17
) -> list[str]:
    """Import ``nodes`` (from ``h`` to ``y``) behind a linear layer; returns the operators behind it."""
    first = N("MatMul", ["x", "w0"], ["h"])
    proto = model(
        [first, *nodes], {"x": [1, 6]}, constants={"w0": 3 * weights(6, 40), **(constants or {})}, opset=opset
    )
    graph = compare(proto)
    names = [n.kind.function if isinstance(n.kind, Pointwise) else n.kind.name for n in graph.nodes]
    return [n for n in names if n not in ("input", "constant")][1:]
