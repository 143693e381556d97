"""What importing takes: weights are not copied more often than needed."""

from __future__ import annotations

import tracemalloc

from hwgen.model.onnx.source import parse_onnx
from hwgen.model.onnx.walk import to_graph
from tests.hwgen.importer.support import N, model, weights


def test_matmul_weights_are_copied_once() -> None:
    """With a copy in float64 the peak was more than three times the size of the weights."""
    constants = {f"w{i}": weights(512, 512, seed=i) for i in range(4)}
    nodes = [N("MatMul", ["x" if i == 0 else f"h{i}", f"w{i}"], [f"h{i + 1}"]) for i in range(3)]
    proto = model([*nodes, N("MatMul", ["h3", "w3"], ["y"])], {"x": [1, 512]}, constants=constants)
    source = parse_onnx(proto.SerializeToString())
    size = sum(array.nbytes for array in constants.values())
    tracemalloc.start()
    graph = to_graph(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(tensor.size * 4 for node in graph.nodes for tensor in node.tensors.values()) >= size
    assert peak < 1.5 * size
