"""Models that would need absurd memory or time: refused before it is spent, or imported quickly."""

from __future__ import annotations

import time

import numpy as np
import onnx
import pytest

from hwgen.errors import ModelError
from hwgen.model.load import import_bytes
from tests.hwgen.importer.hostile import linear, refused
from tests.hwgen.importer.support import N, model, weights


@pytest.mark.parametrize("dims", [[2**31, 2**31], [-1, 4], [4, -3], [2**62, 4], [2**40], [1] * 9, [5, 5]])
def test_impossible_tensor_dimensions(dims: list[int]) -> None:
    proto = linear()
    del proto.graph.initializer[0].dims[:]
    proto.graph.initializer[0].dims.extend(dims)
    refused(proto.SerializeToString(), "invalid-model", "'w'", "shape")


@pytest.mark.parametrize("size", [0, -4, 2**62])
def test_impossible_input_dimensions(size: int) -> None:
    refused(model([N("Relu", ["x"], ["y"])], {"x": [1, size]}).SerializeToString(), "invalid-model", "'x'")


def test_overflowing_product_of_input_dimensions() -> None:
    proto = model([N("Relu", ["x"], ["y"])], {"x": [1, 2**20, 2**20, 2**20]})
    refused(proto.SerializeToString(), "invalid-model", "too large")


@pytest.mark.parametrize(
    ("node", "constants"),
    [
        (N("ConstantOfShape", ["s"], ["c"]), {"s": np.array([2**31, 2**31])}),
        (N("ConstantOfShape", ["s"], ["c"]), {"s": np.array([-1, 2])}),
        (N("Expand", ["one", "s"], ["c"]), {"one": np.ones(1, np.float32), "s": np.array([2**40])}),
        (N("Tile", ["one", "s"], ["c"]), {"one": np.ones(1, np.float32), "s": np.array([2**40])}),
        (N("Range", ["a", "b", "d"], ["c"]), {"a": np.array(0), "b": np.array(2**50), "d": np.array(1)}),
        (N("Range", ["a", "b", "d"], ["c"]), {"a": np.array(0), "b": np.array(5), "d": np.array(0)}),
    ],
)
def test_small_files_cannot_unfold(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> None:
    proto = model([node, N("Add", ["x", "c"], ["y"])], {"x": [1, 4]}, constants=constants)
    refused(proto.SerializeToString(), "unsupported-model")


def test_doubling_constants_are_stopped() -> None:
    nodes = [N("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], axis=0) for i in range(40)]
    nodes.append(N("Add", ["x", "c40"], ["y"]))
    proto = model(nodes, {"x": [1, 4]}, constants={"c0": np.ones(1 << 20, np.float32)})
    with pytest.raises(ModelError):
        import_bytes(proto.SerializeToString())


def test_huge_number_of_nodes() -> None:
    proto = onnx.ModelProto()
    proto.CopyFrom(linear())
    node = proto.graph.node[0]
    proto.graph.node.extend([node] * 100_000)
    refused(proto.SerializeToString(), "invalid-model", "nodes", seconds=20)


def test_long_chains_import_in_time() -> None:
    nodes = [N("Tanh", [f"t{i}"], [f"t{i + 1}"]) for i in range(1500)]
    proto = model([*nodes, N("Relu", ["t1500"], ["y"])], {"t0": [1, 4]})
    started = time.process_time()
    graph = import_bytes(proto.SerializeToString()).graph
    assert time.process_time() - started < 20
    assert len(graph.nodes) == 1502


def test_long_chains_of_slices_import_in_time() -> None:
    constants = {"a": np.array([0]), "b": np.array([1 << 40]), "w": weights(5, 3)}
    nodes = [N("Slice", [f"t{i}", "one", "b", "one"], [f"t{i + 1}"]) for i in range(1500)]
    nodes.append(N("Gather", ["w", "t1500"], ["y"]))
    proto = model(nodes, {"t0": [1, 1510]}, constants=constants | {"one": np.array([1])}, integer=["t0"])
    started = time.process_time()
    assert import_bytes(proto.SerializeToString()).graph.inputs[0].integer
    assert time.process_time() - started < 20


def test_long_chains_of_constants_import_in_time() -> None:
    nodes = [N("Mul" if i % 2 else "Add", [f"t{i}", "c"], [f"t{i + 1}"]) for i in range(2000)]
    constants = {"c": np.array([1.0, 1.001, 0.999, 1.0], dtype=np.float32), "w": weights(4, 3)}
    proto = model([*nodes, N("MatMul", ["t2000", "w"], ["y"])], {"t0": [1, 4]}, constants=constants)
    started = time.process_time()
    import_bytes(proto.SerializeToString())
    assert time.process_time() - started < 20


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    size, length = len(payload), b""
    while size >= 128:
        length += bytes([size % 128 + 128])
        size //= 128
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


@pytest.mark.parametrize("depth", [5, 100, 10_000])
def test_deeply_nested_subgraphs(depth: int) -> None:
    graph = _field(1, _field(4, b"Relu"))
    for _ in range(depth):  # graph.node[0].attribute[0].g
        graph = _field(1, _field(4, b"If") + _field(5, _field(1, b"then_branch") + _field(6, graph) + b"\xa0\x01\x05"))
    with pytest.raises(ModelError):
        import_bytes(_field(7, graph) + _field(8, b"\x10\x11"))
