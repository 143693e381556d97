"""Constant nodes fold to what onnxruntime computes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from hwgen.errors import ModelError
from hwgen.model.onnx.folding import Folder
from hwgen.model.onnx.source import SourceNode
from hwgen.numbers.arrays import Array
from tests.hwgen.importer.support import N, compare, imported, model, ops, weights

ROW = np.array([-7.0, -3.0, -1.0, 1.0, 4.0, 7.0], np.float32)


@pytest.mark.parametrize(
    ("operator", "operands", "attributes", "opset"),
    [
        ("Mod", [ROW, np.float32(3)], {"fmod": 1}, 17),
        ("Mod", [ROW.astype(np.int64), np.int64(3)], {}, 17),
        ("Mod", [ROW.astype(np.int64), np.int64(3)], {"fmod": 1}, 17),
        ("Div", [ROW.astype(np.int64), np.int64(2)], {}, 17),
        ("Div", [ROW.astype(np.int64), np.int64(-2)], {}, 17),
        ("ReduceSum", [ROW.reshape(1, 6), np.array([], np.int64)], {"keepdims": 0}, 17),
        ("ReduceMean", [ROW.reshape(1, 6), np.array([], np.int64)], {"keepdims": 0}, 18),
        ("ReduceSum", [ROW.reshape(1, 6), np.array([], np.int64)], {"noop_with_empty_axes": 1}, 17),
    ],
)
def test_as_onnxruntime_does(operator: str, operands: list[Array], attributes: dict[str, Any], opset: int) -> None:
    constants = {f"c{i}": np.asarray(value) for i, value in enumerate(operands)}
    nodes = [
        N(operator, list(constants), ["folded"], **attributes),
        N("Cast", ["folded"], ["row"], to=TensorProto.FLOAT),
        N("MatMul", ["x", "w"], ["h"]),
        N("Add", ["h", "row"], ["y"]),
    ]
    compare(model(nodes, {"x": [1, 6]}, constants={**constants, "w": weights(6, 6)}, opset=opset))


def test_elements_gathered_from_constants() -> None:
    """Position tables of encoders: constants picked by constants."""
    picked = np.array([[2, 0, 1, -1], [1, 1, 0, 3]])
    nodes = [N("GatherElements", ["c", "picked"], ["g"], axis=0), N("Add", ["x", "g"], ["y"])]
    graph = compare(model(nodes, {"x": [1, 2, 4]}, constants={"c": weights(4, 4), "picked": picked}))
    assert ops(graph) == ["add"]


def test_rows_scattered_into_constants() -> None:
    """Masks of shifted windows: regions of a constant overwritten one by one."""
    constants = {"c": weights(4, 4), "at": np.array([[2], [-4]]), "rows": weights(2, 4, seed=2)}
    nodes = [N("ScatterND", ["c", "at", "rows"], ["g"]), N("Add", ["x", "g"], ["y"])]
    assert ops(compare(model(nodes, {"x": [1, 4, 4]}, constants=constants))) == ["add"]


def test_a_scatter_outside_a_constant_is_refused() -> None:
    constants = {"c": weights(4, 4), "at": np.array([[4]]), "rows": weights(1, 4)}
    nodes = [N("ScatterND", ["c", "at", "rows"], ["g"]), N("Add", ["x", "g"], ["y"])]
    with pytest.raises(ModelError, match="do not fit"):
        imported(model(nodes, {"x": [1, 4, 4]}, constants=constants))


@pytest.mark.parametrize("training", [0, 1])
def test_weights_standardised_by_batch_norm(training: int) -> None:
    """Scaled weight standardisation: batch norm of a weight by its own statistics, channels first on axis 1."""
    constants = {
        "w": 2 + weights(1, 4, 27),
        "scale": weights(4), "bias": weights(4, seed=2), "mean": weights(4, seed=3), "var": weights(4, seed=4) ** 2,
        "shape": np.array([4, 3, 3, 3]),
    }  # fmt: skip
    more = [["mean2", "var2"], {"training_mode": 1}] if training else [[], {}]
    nodes = [
        N("BatchNormalization", ["w", "scale", "bias", "mean", "var"], ["n", *more[0]], epsilon=1e-3, **more[1]),
        N("Reshape", ["n", "shape"], ["k"]),
        N("Conv", ["x", "k"], ["y"]),
    ]
    assert ops(compare(model(nodes, {"x": [1, 3, 5, 5]}, constants=constants))) == ["conv"]


def test_division_of_large_integers_is_exact() -> None:
    large = np.array([2**62 + 1, -(2**62) - 1])
    folded = Folder(17).fold(SourceNode("n", "Div", ("a", "b"), ("c",)), [large, np.array(1)], ["int64", "int64"])
    assert folded is not None and folded[0].tolist() == large.tolist()


def test_division_by_an_integer_zero_is_refused() -> None:
    nodes = [
        N("Div", ["a", "b"], ["c"]),
        N("Cast", ["c"], ["row"], to=TensorProto.FLOAT),
        N("MatMul", ["x", "w"], ["h"]),
        N("Add", ["h", "row"], ["y"]),
    ]
    constants = {"a": np.arange(6), "b": np.array(0), "w": weights(6, 6)}
    with pytest.raises(ModelError, match="division by zero"):
        imported(model(nodes, {"x": [1, 6]}, constants=constants))


def test_clipping_to_an_empty_constant_is_refused() -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Clip", ["h", "low"], ["y"])]
    with pytest.raises(ModelError, match="Clip"):
        imported(model(nodes, {"x": [1, 6]}, constants={"w": weights(6, 6), "low": np.zeros(0, np.float32)}))


def test_a_reduction_over_an_empty_list_of_axes_covers_all() -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("ReduceSum", ["h", "axes"], ["y"])]
    compare(model(nodes, {"x": [1, 6]}, constants={"w": weights(6, 6), "axes": np.zeros(0, np.int64)}))
