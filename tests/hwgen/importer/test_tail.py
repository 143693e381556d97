"""What stays in software computes what the source model computes, and survives storage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from hwgen.errors import IllegalGraph, ModelError
from hwgen.model.graph import Graph
from hwgen.model.inspect import inspect
from hwgen.model.software import apply_tail, is_distribution, scores
from tests.hwgen.importer.support import N, compare, imported, model, weights

FLAT = ([N("MatMul", ["x", "w"], ["h"])], {"x": [1, 6]}, {"w": weights(6, 4)})
IMAGE = ([N("Conv", ["x", "w"], ["h"])], {"x": [1, 3, 6, 5]}, {"w": weights(4, 3, 3, 3)})
INTEGER = onnx.TensorProto.INT64


def ending(body: tuple, *tail: onnx.NodeProto, opset: int = 17, kind: int = onnx.TensorProto.FLOAT) -> onnx.ModelProto:
    nodes, inputs, constants = body
    constants = constants | {"last": np.array([-1]), "both": np.array([2, 3]), "front": np.array([0])}
    proto = model([*nodes, *tail], inputs, constants=constants, opset=opset)
    proto.graph.output[0].type.tensor_type.elem_type = kind
    return proto


@pytest.mark.parametrize(
    ("proto", "kinds"),
    [
        (ending(FLAT, N("Sigmoid", ["h"], ["y"])), ["sigmoid"]),
        (ending(FLAT, N("Softmax", ["h"], ["y"])), ["softmax"]),
        (ending(FLAT, N("Softmax", ["h"], ["y"]), opset=11), ["softmax"]),
        (ending(FLAT, N("LogSoftmax", ["h"], ["y"], axis=1)), ["log_softmax"]),
        (ending(FLAT, N("Hardmax", ["h"], ["y"])), ["hardmax"]),
        (ending(IMAGE, N("Softmax", ["h"], ["y"], axis=1)), ["softmax"]),
        (ending(IMAGE, N("Softmax", ["h"], ["y"], axis=2), opset=11), ["softmax"]),
        (ending(IMAGE, N("Hardmax", ["h"], ["y"], axis=1), opset=11), ["hardmax"]),
        (ending(IMAGE, N("Hardmax", ["h"], ["y"], axis=-2)), ["hardmax"]),
        (ending(FLAT, N("ArgMax", ["h"], ["y"], axis=1, keepdims=0), kind=INTEGER), ["argmax"]),
        (ending(IMAGE, N("ArgMax", ["h"], ["y"], axis=1, select_last_index=1), kind=INTEGER), ["argmax"]),
        (
            ending(FLAT, N("Softmax", ["h"], ["p"]), N("Unsqueeze", ["p", "last"], ["q"]), N("Identity", ["q"], ["y"])),
            ["softmax", "unsqueeze"],
        ),
        (
            ending(
                FLAT, N("Sigmoid", ["h"], ["p"]), N("Squeeze", ["p", "front"], ["s"]), N("Cast", ["s"], ["y"], to=1)
            ),
            ["sigmoid", "squeeze", "cast"],
        ),
        (
            ending(FLAT, N("Softmax", ["h"], ["p"]), N("ArgMax", ["p"], ["a"], axis=-1), N("Cast", ["a"], ["y"], to=1)),
            ["softmax", "argmax", "cast"],
        ),
    ],
)
def test_tails_compute_what_onnxruntime_computes(proto: onnx.ModelProto, kinds: list[str], tmp_path: Path) -> None:
    graph = compare(proto, tolerance=1e-5)
    (result,) = graph.results
    assert [s.kind for s in result.steps] == kinds and result.name == "y"
    assert [s["output"] for s in graph.software] == ["y"] * sum(k in ("argmax", "hardmax", "sigmoid") or "max" in k
                                                                for k in kinds)  # fmt: skip
    graph.save(tmp_path / "graph.npz")
    assert Graph.load(tmp_path / "graph.npz").tails == graph.tails


def test_a_last_index_is_taken_among_equal_ones() -> None:
    proto = ending(FLAT, N("ArgMax", ["h"], ["y"], axis=1, select_last_index=1), kind=INTEGER)
    compare(proto, feeds={"x": np.zeros((1, 6), np.float32)})


def test_the_description_names_the_models_own_outputs(tmp_path: Path) -> None:
    nodes, inputs, constants = FLAT
    tail = [N("Softmax", ["h"], ["p"]), N("ArgMax", ["p"], ["best"], axis=-1, keepdims=0), N("Relu", ["h"], ["r"])]
    proto = model([*nodes, *tail], inputs, ["p", "best", "r"], constants)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    answer = inspect(tmp_path / "m.onnx", tmp_path / "graph.npz", {})
    assert answer["graph"]["outputs"] == [
        {"name": "p", "shape": [4], "type": "float32"},
        {"name": "best", "shape": [], "type": "int64"},
        {"name": "r", "shape": [4], "type": "float32"},
    ]
    assert [(s["operator"], s["output"]) for s in answer["software"]] == [("Softmax", "p"), ("ArgMax", "best")]


def test_a_tail_that_cannot_run_is_refused_with_its_node() -> None:
    with pytest.raises(ModelError, match="no axis 7") as refused:
        imported(ending(FLAT, N("Softmax", ["h"], ["y"], axis=7, name="bad")))
    assert [i.node for i in refused.value.issues] == ["bad"]


def test_scores_are_the_logits_and_the_axis_of_the_classes() -> None:
    image = imported(ending(IMAGE, N("Softmax", ["h"], ["p"], axis=1), N("ArgMax", ["p"], ["y"], axis=1, keepdims=0)))
    logits = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    found, axis = scores(image.results[0], logits)
    assert np.array_equal(found, logits) and axis == -3
    flat = imported(ending(FLAT, N("Sigmoid", ["h"], ["p"]), N("Unsqueeze", ["p", "last"], ["y"])))
    found, axis = scores(flat.results[0], logits[:, :, 0, 0])
    assert np.array_equal(found, logits[:, :, 0, :1]) and axis is None


def test_classes_on_another_axis_than_the_distribution_are_ranked_behind_it() -> None:
    tail = [N("Softmax", ["h"], ["p"], axis=-1), N("ArgMax", ["p"], ["y"], axis=1, keepdims=0)]
    graph = imported(ending(IMAGE, *tail))
    logits = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    found, axis = scores(graph.results[0], logits)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-6)
    assert axis == -3 and np.array_equal(found.argmax(axis=1), apply_tail(graph.results[0], logits))
    assert not np.array_equal(logits.argmax(axis=1), found.argmax(axis=1))


def test_which_outputs_mean_a_distribution() -> None:
    one = N("Softmax", ["h"], ["p"])
    for tail, expected in [
        ([N("Softmax", ["h"], ["y"])], True),
        ([N("LogSoftmax", ["h"], ["y"])], True),
        ([one, N("ArgMax", ["p"], ["y"], axis=-1)], True),
        ([N("Sigmoid", ["h"], ["y"])], False),
        ([one, N("Softmax", ["p"], ["y"])], False),
    ]:
        assert is_distribution(imported(ending(FLAT, *tail)).results[0]) == expected
    assert not is_distribution(imported(ending(IMAGE, N("Softmax", ["h"], ["y"], axis=1), opset=11)).results[0])
    decided = [N("Softmax", ["h"], ["p"], axis=-1), N("ArgMax", ["p"], ["y"], axis=1)]
    assert not is_distribution(imported(ending(IMAGE, *decided)).results[0])


def test_a_graph_of_the_first_release_is_refused(tmp_path: Path) -> None:
    """It was an ``.npz``, and did not keep what runs in software."""
    np.savez(tmp_path / "old.npz", header=np.frombuffer(b"{}", np.uint8))
    with pytest.raises(IllegalGraph, match="upload its file again"):
        Graph.load(tmp_path / "old.npz")


def test_software_tails_survive_the_graph_file(tmp_path: Path) -> None:
    graph = imported(ending(FLAT, N("Softmax", ["h"], ["p"]), N("ArgMax", ["p"], ["y"], axis=-1)))
    graph.save(tmp_path / "g")
    assert Graph.load(tmp_path / "g").results == graph.results
