"""Broken or hostile graphs inside a well-formed file: refused in clear words that name every node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from hwgen.model.graph import Graph
from hwgen.model.inspect import inspect
from hwgen.model.load import import_bytes
from tests.hwgen.importer.hostile import linear, refused
from tests.hwgen.importer.support import N, model, weights


def test_nan_weights() -> None:
    w = weights(4, 3)
    w[1, 1] = np.nan
    proto = model([N("MatMul", ["x", "w"], ["y"])], {"x": [1, 4]}, constants={"w": w})
    refused(proto.SerializeToString(), "invalid-model", "NaN", "'w'")


def test_infinite_weights() -> None:
    w = weights(4, 3)
    w[1, 1] = np.inf
    proto = model([N("MatMul", ["x", "w"], ["y"])], {"x": [1, 4]}, constants={"w": w})
    refused(proto.SerializeToString(), "invalid-model", "finite")


def test_nan_attribute() -> None:
    proto = model([N("LeakyRelu", ["x"], ["y"], alpha=float("nan"))], {"x": [1, 4]})
    refused(proto.SerializeToString(), "invalid-model", "finite")


def test_cycle() -> None:
    nodes = [N("Add", ["x", "b"], ["a"]), N("Relu", ["a"], ["b"]), N("Relu", ["b"], ["y"])]
    refused(model(nodes, {"x": [1, 4]}).SerializeToString(), "invalid-model", "cycle")


def test_nodes_out_of_order_are_sorted() -> None:
    nodes = [N("Relu", ["h"], ["y"]), N("MatMul", ["x", "w"], ["h"])]
    proto = model(nodes, {"x": [1, 4]}, constants={"w": weights(4, 3)})
    assert len(import_bytes(proto.SerializeToString()).graph.nodes) == 3


@pytest.mark.parametrize("twice", ["output", "initializer"])
def test_names_defined_twice(twice: str) -> None:
    proto = model([N("Relu", ["x"], ["y"]), N("Tanh", ["x"], ["y"])], {"x": [1, 4]})
    if twice == "initializer":
        proto = linear()
        proto.graph.initializer.append(proto.graph.initializer[0])
    refused(proto.SerializeToString(), "invalid-model", "export")


def test_missing_initializer() -> None:
    proto = linear()
    del proto.graph.initializer[:]
    refused(proto.SerializeToString(), "invalid-model", "'w'", "nothing defines")


@pytest.mark.parametrize("opset", [0, 7, 999, 2**40])
def test_opsets_out_of_range(opset: int) -> None:
    proto = linear()
    proto.opset_import[0].version = opset
    refused(proto.SerializeToString(), "invalid-model", "opset", "8")


def test_functions_and_foreign_domains() -> None:
    proto = model([N("Gadget", ["x"], ["y"], domain="com.evil", name="g")], {"x": [1, 4]})
    proto.opset_import.append(helper.make_opsetid("com.evil", 1))
    error = refused(proto.SerializeToString(), "unsupported-model", "com.evil.Gadget")
    assert error.issues[0].operator == "com.evil.Gadget"


@pytest.mark.parametrize(
    "name", ['a;$system("id");', '`include "/etc/passwd"', "\\esc ", "new\nline", '"; rm -rf', "\x1b]0;title\x07"]
)
def test_node_names_that_would_be_code_are_refused(name: str) -> None:
    error = refused(linear(name).SerializeToString(), "unsafe-model", "rename")
    assert error.issues[0].operator == "MatMul"
    assert error.issues[0].node.isprintable()


@pytest.mark.parametrize(
    "node_name",
    ["endmodule", "x" * 10_000, "\N{SNOWMAN}\N{PILE OF POO}", "../../x", "%s%n", "{{7*7}}", "<img onerror>"],
)
@pytest.mark.parametrize("tensor_name", ['a;$system("id");', "new\nline", "x" * 10_000, "../../x", "\x1b]0;title\x07"])
def test_names_stay_data(node_name: str, tensor_name: str, tmp_path: Path) -> None:
    proto = _renamed(linear(node_name), tensor_name)
    file = tmp_path / "m.onnx"
    file.write_bytes(proto.SerializeToString())
    described = inspect(file, tmp_path / "g", {})
    assert described["ok"]
    graph = Graph.load(tmp_path / "g")
    assert [n.name for n in graph.nodes] == ["input1", "linear1"]
    for text in (*(n.source for n in graph.nodes), graph.inputs[0].source, graph.outputs[0].source):
        assert len(text) <= 120
        assert text.isprintable()


def _renamed(proto: onnx.ModelProto, suffix: str) -> onnx.ModelProto:
    """The model with something behind the name of each tensor."""
    for value in (proto.graph.input[0], proto.graph.output[0], proto.graph.initializer[0]):
        old, value.name = value.name, value.name + suffix
        for node in proto.graph.node:
            for names in (node.input, node.output):
                renamed = [value.name if n == old else n for n in names]
                del names[:]
                names.extend(renamed)
    return proto


def test_every_offending_node_is_named() -> None:
    nodes = [
        N("Relu", ["x"], ["a"], name="fine"),
        N("LSTM", ["a", "w", "w"], ["b"], name="recurrent"),
        N("Relu", ["b"], ["c"], name="behind"),
        N("NonMaxSuppression", ["c", "c"], ["d"], name="boxes"),
        N("Sqrt", ["x"], ["e"], name="root"),
        N("Add", ["d", "e"], ["y"], name="sum"),
    ]
    proto = model(nodes, {"x": [1, 4]}, constants={"w": weights(4, 4)})
    error = refused(proto.SerializeToString(), "unsupported-model", "recurrent")
    assert {(i.node, i.operator) for i in error.issues} >= {("recurrent", "LSTM"), ("boxes", "NonMaxSuppression")}
    assert all(len(i.reason) > 20 for i in error.issues)


@pytest.mark.parametrize(
    ("shape", "word"),
    [([32, 1, 8, 8], "If 32 is a batch size"), (["n", 3, "h", "w"], "dynamic axis"), (["n", "t"], "dynamic axis")],
)
def test_batches_and_dynamic_axes(shape: list[int | str], word: str) -> None:
    refused(model([N("Relu", ["x"], ["y"])], {"x": shape}).SerializeToString(), "invalid-model", word, "export")


def test_a_first_axis_that_is_no_batch_is_not_called_one() -> None:
    """The state of a recurrent network has its layers first."""
    proto = model([N("Relu", ["state"], ["y"])], {"state": [2, 1, 128]})
    error = refused(proto.SerializeToString(), "invalid-model", "(2, 1, 128)", "layers", "batch axis of 1 before it")
    assert "has the fixed batch size" not in error.detail


def test_a_model_without_operators() -> None:
    refused(model([N("Identity", ["x"], ["y"])], {"x": [1, 4]}).SerializeToString(), "invalid-model", "no operator")
