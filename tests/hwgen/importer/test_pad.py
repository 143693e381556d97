"""Pad that no convolution or pool takes over."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.model.kinds.pad import Pad
from tests.hwgen.importer.support import N, compare, imported, model, ops, weights


@pytest.mark.parametrize(
    ("shape", "pads"),
    [
        ([1, 5], [0, 1, 0, 2]),
        ([1, 5, 6], [0, 2, 0, 0, 0, 0]),
        ([1, 5, 6], [0, 0, 1, 0, 3, 2]),
        ([1, 3, 4, 5], [0, 1, 2, 0, 0, 0, 0, 3]),
        ([1, 2, 3, 4, 5], [0, 0, 1, 0, 0, 0, 1, 1, 1, 2]),
        ([1, 1, 4], [0, 1, 0, 0, 1, 0]),
    ],
)
@pytest.mark.parametrize("value", [0.0, -1.5])
def test_of_an_input(shape: list[int], pads: list[int], value: float) -> None:
    nodes = [N("Pad", ["x", "pads", "value"], ["y"])]
    constants = {"pads": np.array(pads), "value": np.float32(value)}
    graph = compare(model(nodes, {"x": shape}, constants=constants))
    assert set(ops(graph)) <= {"pad", "reshape"}


def test_with_the_attributes_of_opset_10() -> None:
    graph = compare(model([N("Pad", ["x"], ["y"], pads=[0, 1, 0, 2], value=0.5)], {"x": [1, 4]}, opset=10))
    assert graph.node("pad1").kind == Pad(0, 1, 2, 0.5)


def test_with_axes() -> None:
    constants = {"pads": np.array([1, 2]), "axes": np.array([-1])}
    compare(model([N("Pad", ["x", "pads", "", "axes"], ["y"])], {"x": [1, 4, 3]}, constants=constants, opset=18))


def test_of_an_activation_between_layers() -> None:
    """Channels of a residual branch that grows: ResNet's parameter-free shortcut."""
    nodes = [
        N("Conv", ["x", "u"], ["h"]),
        N("Conv", ["h", "w"], ["c"]),
        N("Pad", ["h", "pads"], ["p"]),
        N("Add", ["c", "p"], ["y"]),
    ]
    constants = {"u": weights(4, 4, 1, 1), "w": weights(8, 4, 1, 1), "pads": np.array([0, 2, 0, 0, 0, 2, 0, 0])}
    graph = compare(model(nodes, {"x": [1, 4, 5, 6]}, constants=constants))
    assert sorted(ops(graph)) == ["add", "conv", "conv", "pad"]
    assert graph.node("pad1").kind == Pad(2, 2, 2, 0.0)  # the features: channels stay last


def test_of_a_transposed_and_reshaped_tensor() -> None:
    """The padded axis lies in two pieces of the stream."""
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("Transpose", ["h"], ["t"], perm=[0, 2, 1]),
        N("Reshape", ["t", "shape"], ["r"]),
        N("Pad", ["r", "pads"], ["p"]),
        N("MatMul", ["p", "v"], ["y"]),
    ]
    constants = {
        "w": weights(6, 8),
        "v": weights(23, 3),
        "shape": np.array([1, 2, 20]),
        "pads": np.array([0, 1, 1, 0, 0, 2]),
    }
    compare(model(nodes, {"x": [1, 5, 6]}, constants=constants))


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool"])
def test_before_a_global_pool(operator: str) -> None:
    nodes = [N("Pad", ["x", "pads"], ["p"]), N(operator, ["p"], ["y"])]
    compare(model(nodes, {"x": [1, 3, 4, 5]}, constants={"pads": np.array([0, 0, 1, 2, 0, 0, 0, 1])}))


def test_with_another_value_before_a_convolution() -> None:
    nodes = [N("Conv", ["x", "u"], ["h"]), N("Pad", ["h", "pads", "one"], ["p"]), N("Conv", ["p", "w"], ["y"])]
    constants = {
        "u": weights(3, 3, 1, 1),
        "w": weights(4, 3, 3, 3),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "one": np.float32(1),
    }
    assert ops(compare(model(nodes, {"x": [1, 3, 4, 5]}, constants=constants))) == ["conv", "pad", "pad", "conv"]


@pytest.mark.parametrize(
    ("pads", "value", "reason"),
    [
        ([0, -1, 0, 2], 0.0, "slice the tensor instead"),
        ([0, 1, 0, 2], -np.inf, "no number format holds"),
        ([1, 0, 0, 0], 0.0, "batch axis"),
    ],
)
def test_refused(pads: list[int], value: float, reason: str) -> None:
    constants = {"pads": np.array(pads), "value": np.float32(value)}
    for tail in ([], [N("MatMul", ["y", "w"], ["z"])]):
        nodes = [N("Pad", ["x", "pads", "value"], ["y"]), *tail]
        with pytest.raises(ModelError, match=reason) as caught:
            imported(model(nodes, {"x": [1, 4]}, ["z" if tail else "y"], constants | {"w": weights(7, 2)}))
        assert caught.value.kind == "unsupported-model"


@pytest.mark.parametrize("mode", ["reflect", "edge"])
def test_other_modes_are_refused(mode: str) -> None:
    nodes = [N("Pad", ["x", "pads"], ["y"], mode=mode)]
    with pytest.raises(ModelError, match="only constant padding"):
        imported(model(nodes, {"x": [1, 4]}, constants={"pads": np.array([0, 1, 0, 2])}))
