"""Valid models with a few fields changed at random are imported or refused; nothing else is raised, nothing hangs."""

from __future__ import annotations

import time

import numpy as np
import onnx
import pytest

from hwgen.errors import ModelError
from hwgen.model.load import import_bytes
from tests.hwgen.importer.support import N, model, weights

_NUMBERS = [0, -1, 1, 2, 3, 7, 2**31, -(2**63), 10**6]
_OPERATORS = ["Slice", "Concat", "Gather", "Pad", "Reshape", "ReduceMean", "Split", "Where", "Clip", "Expand", "Einsum"]


def _cnn() -> onnx.ModelProto:
    nodes = [
        N("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1], strides=[1, 2], dilations=[1, 1], group=1),
        N("BatchNormalization", ["c", "b", "b", "b", "v"], ["n"], epsilon=1e-5),
        N("Relu", ["n"], ["r"]),
        N("MaxPool", ["r"], ["m"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        N("Concat", ["m", "m"], ["d"], axis=1),
        N("AveragePool", ["d"], ["a"], kernel_shape=[2, 1], pads=[1, 0, 0, 0], count_include_pad=1),
        N("Reshape", ["a", "shape"], ["f"]),
        N("Gemm", ["f", "g"], ["y"], transB=1, alpha=0.5),
    ]
    constants = {"w": weights(4, 3, 3, 3), "b": weights(4), "v": np.ones(4, np.float32)}
    constants |= {"shape": np.array([1, -1]), "g": weights(5, 64)}
    return model(nodes, {"x": [1, 3, 8, 8]}, constants=constants)


def _attention() -> onnx.ModelProto:
    nodes = [
        N("Gather", ["table", "ids"], ["e"], axis=0),
        N("LayerNormalization", ["e", "g", "g"], ["n"], axis=-1, epsilon=1e-5),
        N("MatMul", ["n", "w"], ["h"]),
        N("Reshape", ["h", "shape"], ["r"]),
        N("Transpose", ["r"], ["q"], perm=[0, 2, 1, 3]),
        N("Transpose", ["r"], ["k"], perm=[0, 2, 3, 1]),
        N("MatMul", ["q", "k"], ["s"]),
        N("Add", ["s", "mask"], ["a"]),
        N("Softmax", ["a"], ["p"], axis=-1),
        N("MatMul", ["p", "q"], ["o"]),
        N("Transpose", ["o"], ["t"], perm=[0, 2, 1, 3]),
        N("Reshape", ["t", "back"], ["y"]),
    ]
    mask = np.where(np.tri(6) > 0, 0, -np.inf).astype(np.float32)
    constants = {"table": weights(9, 8), "g": weights(8), "w": weights(8, 8), "mask": mask}
    constants |= {"shape": np.array([1, 6, 2, 4]), "back": np.array([1, 6, 8])}
    return model(nodes, {"ids": [1, 6]}, constants=constants, integer=["ids"])


def _mutate(proto: onnx.ModelProto, rng: np.random.Generator) -> None:
    node = proto.graph.node[rng.integers(len(proto.graph.node))]
    tensor = proto.graph.initializer[rng.integers(len(proto.graph.initializer))]
    attribute = node.attribute[rng.integers(len(node.attribute))] if node.attribute else None
    match rng.integers(8):
        case 0 if attribute is not None and attribute.ints:
            attribute.ints[rng.integers(len(attribute.ints))] = int(rng.choice(_NUMBERS))
        case 1 if attribute is not None:
            attribute.i, attribute.f, attribute.s = int(rng.choice(_NUMBERS)), float(rng.choice(_NUMBERS)), b"\xff\xfe"
        case 2 if attribute is not None:
            node.attribute.remove(attribute)
        case 3 if node.input:
            node.input[rng.integers(len(node.input))] = tensor.name
        case 4 if node.input:
            del node.input[rng.integers(len(node.input))]
        case 5:
            node.op_type = str(rng.choice([*_OPERATORS, *(n.op_type for n in proto.graph.node)]))
        case 6 if len(proto.graph.node) > 2:
            proto.graph.node.remove(node)
        case 7 if tensor.dims:
            tensor.dims[rng.integers(len(tensor.dims))] = int(rng.choice(_NUMBERS))


@pytest.mark.parametrize("seed", range(4))
def test_mutated_models_are_imported_or_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models = [_cnn(), _attention()]
    for valid in models:
        import_bytes(valid.SerializeToString())
    for case in range(200):
        proto = onnx.ModelProto()
        proto.CopyFrom(models[case % 2])
        for _ in range(rng.integers(1, 4)):
            _mutate(proto, rng)
        started = time.process_time()
        try:
            import_bytes(proto.SerializeToString())
        except ModelError as error:
            assert len(error.detail) > 20
        assert time.process_time() - started < 5
