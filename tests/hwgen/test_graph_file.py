"""Graph files: equal graphs give equal bytes, weights stay in the file until they are read, damage is named."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import IllegalGraph
from hwgen.model.float_reference import evaluate
from hwgen.model.graph import Graph
from hwgen.model.tensor_file import ALIGNMENT, write
from hwgen.model.tensors import ArrayTensor, StoredTensor, in_memory
from tests.hwgen.lowering.test_attention import transformer
from tests.hwgen.lowering.test_unchanged_designs import image_network
from tests.hwgen.networks import NetworkMaker


@pytest.mark.parametrize("graph", [transformer(1, 6, 1), image_network(0)], ids=["transformer", "image"])
def test_graphs_survive_their_file(graph: Graph, tmp_path: Path) -> None:
    graph.save(tmp_path / "g")
    again = Graph.load(tmp_path / "g")
    assert [(n.name, n.kind, n.inputs, n.shape, n.source) for n in again.nodes] == [
        (n.name, n.kind, n.inputs, n.shape, n.source) for n in graph.nodes
    ]
    assert (again.inputs, again.outputs, again.software) == (graph.inputs, graph.outputs, graph.software)
    for node, other in zip(graph.nodes, again.nodes, strict=True):
        assert {k: t.digest for k, t in node.tensors.items()} == {k: t.digest for k, t in other.tensors.items()}
    inputs = {i.node: np.ones((2, *graph.node(i.node).shape.dims), np.float32) for i in graph.inputs}
    for name, tensor in evaluate(graph, inputs).items():
        np.testing.assert_array_equal(evaluate(again, inputs)[name], tensor)
    again.save(tmp_path / "h")
    assert (tmp_path / "g").read_bytes() == (tmp_path / "h").read_bytes()


def test_loading_reads_no_weights(tmp_path: Path) -> None:
    maker = NetworkMaker(np.random.default_rng(0))
    graph = maker.graph(maker.linear(maker.input((), 2048), 2048))
    graph.save(tmp_path / "g")
    assert (tmp_path / "g").stat().st_size > 16 << 20
    tracemalloc.start()
    loaded = Graph.load(tmp_path / "g")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20
    weight, stored = graph.nodes[1].tensors["weight"], loaded.nodes[1].tensors["weight"]
    assert (stored.shape, stored.dtype) == (weight.shape, weight.dtype)
    np.testing.assert_array_equal(stored.read(slice(7, 9)), weight.read()[7:9])


def test_a_removed_file_stays_readable(tmp_path: Path) -> None:
    graph = transformer(0, 4, 1)
    graph.save(tmp_path / "g")
    loaded = Graph.load(tmp_path / "g")
    (tmp_path / "g").unlink()
    for node, other in zip(graph.nodes, loaded.nodes, strict=True):
        for key, tensor in node.tensors.items():
            np.testing.assert_array_equal(other.tensors[key].read(), tensor.read())


def test_stored_tensors_are_aligned_and_cannot_be_written_to(tmp_path: Path) -> None:
    transformer(0, 4, 1).save(tmp_path / "g")
    for node in Graph.load(tmp_path / "g").nodes:
        for tensor in node.tensors.values():
            assert isinstance(tensor, StoredTensor)
            values = tensor.read()
            assert values.ctypes.data % ALIGNMENT == 0
            with pytest.raises(ValueError, match="read-only"):
                values[...] = 0


def test_digests_tell_type_shape_and_values_apart() -> None:
    zeros = np.zeros((2, 3), np.float32)
    others = [zeros.reshape(3, 2), zeros.astype(np.int32), zeros + 1]
    digests = {ArrayTensor(a).digest for a in [zeros, *others]}
    assert len(digests) == 4
    assert ArrayTensor(zeros.copy()).digest == ArrayTensor(zeros.T.copy().T).digest


def test_the_digest_does_not_depend_on_how_much_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(50, 3, 7)).astype(np.float32)
    whole = ArrayTensor(values).digest
    monkeypatch.setattr("hwgen.model.tensors._DIGEST_BYTES", 200)
    assert ArrayTensor(values).digest == whole
    assert ArrayTensor(np.zeros((0, 4), np.float32)).digest != ArrayTensor(np.zeros((4, 0), np.float32)).digest


def _damaged(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_damage_and_other_versions_are_named(tmp_path: Path) -> None:
    transformer(0, 4, 1).save(tmp_path / "g")
    data = (tmp_path / "g").read_bytes()
    for damaged, problem in (
        (b"PK\x03\x04" + data[4:], "version 2: another release stored it; upload its file again"),
        (data.replace(b"graph 2", b"graph 9", 1), "version 2: another release stored it; upload its file again"),
        (data[:100], "cut short"),
        (data[:-8], "cut short"),
        (data[:20], "cut short"),
        (b"", "version 2"),
        (data.replace(b'"kind":"softmax"', b'"kind":"softmix"', 1), "'softmix' is no operator"),
        (data.replace(b'"causal":false', b'"casual":false', 1), "needs \\['causal', 'size'\\]"),
        (data.replace(b'"offset":1408', b'"offset":-408', 1), "cut short"),
        (data.replace(b'"offset":1408', b'"offset:"1408', 1), "damaged"),
        (data.replace(b'"dtype":"<f4"', b'"dtype":"|O8"', 1), "type |O8"),
    ):
        with pytest.raises(IllegalGraph, match=problem):
            Graph.load(_damaged(tmp_path / "d", damaged))


def test_only_plain_numbers_are_stored(tmp_path: Path) -> None:
    tensors = in_memory({"a": np.array(["text"])})
    with pytest.raises(TypeError, match="holds tensors of"):
        write(tmp_path / "g", {}, list(tensors.values()))


def test_the_header_is_json(tmp_path: Path) -> None:
    transformer(0, 4, 1).save(tmp_path / "g")
    data = (tmp_path / "g").read_bytes()
    length = int.from_bytes(data[16:24], "little")
    assert {n["kind"] for n in json.loads(data[24 : 24 + length])["nodes"]} >= {"matmul", "softmax", "layer_norm"}
