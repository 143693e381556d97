"""Constants fold into the weights before or behind them, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from tests.hwgen.importer.support import N, behind_linear, compare, model, ops, weights


@pytest.mark.parametrize(
    ("operator", "swapped"),  # a reciprocal has no hardware form
    [
        (operator, swapped)
        for operator in ("Add", "Sub", "Mul", "Div")
        for swapped in sorted({False, operator != "Div"})
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (40,), (1, 40)])
def test_constants_fold_into_the_linear_layer(operator: str, swapped: bool, shape: tuple[int, ...]) -> None:
    operands = ["c", "h"] if swapped else ["h", "c"]
    assert behind_linear([N(operator, operands, ["y"])], {"c": 1 + np.abs(weights(*shape))}) == []


@pytest.mark.parametrize("opset", [8, 9, 14, 15])
def test_batch_norm_folds_into_the_convolution(opset: int) -> None:
    names = ["s", "b", "m", "v"]
    constants = {n: np.abs(weights(4, seed=i)) + 0.1 for i, n in enumerate(names)} | {"w": weights(4, 3, 3, 3)}
    nodes = [
        N("Conv", ["x", "w"], ["h"], pads=[1, 1, 1, 1]),
        N("BatchNormalization", ["h", *names], ["n"], epsilon=1e-3),
        N("Relu", ["n"], ["y"]),
    ]
    assert ops(compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants, opset=opset))) == ["conv", "relu"]


def test_batch_norm_before_the_convolution_folds_forward() -> None:
    names = ["s", "b", "m", "v"]
    constants = {n: np.abs(weights(6, seed=i)) + 0.1 for i, n in enumerate(names)} | {"w": weights(4, 3, 3, 3)}
    nodes = [N("BatchNormalization", ["x", *names], ["n"]), N("Conv", ["n", "w"], ["y"], group=2)]
    assert ops(compare(model(nodes, {"x": [1, 6, 6, 5]}, constants=constants))) == ["conv"]


def test_batch_norm_before_a_nonlinearity_stays() -> None:
    names = ["s", "b", "m", "v"]
    constants = {n: np.abs(weights(3, seed=i)) + 0.1 for i, n in enumerate(names)} | {"w": weights(4, 3, 3, 3)}
    nodes = [
        N("BatchNormalization", ["x", *names], ["n"]),
        N("Relu", ["n"], ["r"]),
        N("Conv", ["r", "w"], ["y"]),
    ]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants))
    assert ops(graph) == ["mul", "add", "relu", "conv"]
    assert graph.node("constant1").shape.dims == (3,)


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_input_scaling_folds_forward(pads: list[int]) -> None:
    nodes = [
        N("Sub", ["x", "mean"], ["c"]),
        N("Div", ["c", "deviation"], ["s"]),
        N("Conv", ["s", "w"], ["y"], pads=pads),
    ]
    constants = {
        "mean": weights(3, 1, 1),
        "deviation": np.abs(weights(3, 1, 1)) + 1,
        "w": weights(4, 3, 3, 3),
    }
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants))
    assert ops(graph) == (["conv"] if not any(pads) else ["add", "conv"])


def test_scalar_input_scaling_of_a_channels_first_image() -> None:
    nodes = [N("Div", ["x", "c"], ["s"]), N("Conv", ["s", "w"], ["y"], pads=[1, 1, 1, 1])]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants={"c": np.float32(255), "w": weights(4, 3, 3, 3)}))
    assert ops(graph) == ["conv"]
    assert graph.inputs[0].order == (1, 2, 0)


def test_scalar_then_per_channel_input_scaling_of_a_channels_first_image() -> None:
    nodes = [
        N("Div", ["x", "full"], ["f"]),
        N("Sub", ["f", "mean"], ["c"]),
        N("Mul", ["c", "factor"], ["s"]),
        N("Conv", ["s", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    constants = {"full": np.float32(255), "mean": weights(3, 1, 1), "factor": np.float32(3), "w": weights(4, 3, 3, 3)}
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants))
    assert ops(graph) == ["add", "conv"]
    assert graph.inputs[0].order == (1, 2, 0)
