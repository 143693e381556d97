"""Elementwise operators, recognised functions, residuals against onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from hwgen.errors import ModelError
from tests.hwgen.importer.support import N, behind_linear, compare, imported, model, ops, weights


@pytest.mark.parametrize(
    ("operator", "attributes", "function", "opset"),
    [
        ("Relu", {}, "relu", 8),
        ("Tanh", {}, "tanh", 13),
        ("Erf", {}, "erf", 13),
        ("Elu", {"alpha": 0.7}, "elu", 8),
        ("LeakyRelu", {"alpha": 0.1}, "leaky_relu", 16),
        ("Selu", {}, "selu", 13),
        ("Softplus", {}, "softplus", 13),
        ("Softsign", {}, "softsign", 13),
        ("HardSigmoid", {"alpha": 0.25}, "hard_sigmoid", 13),
        ("HardSwish", {}, "hard_swish", 14),
        ("Mish", {}, "mish", 18),
        ("Gelu", {}, "gelu", 20),
        ("Gelu", {"approximate": "tanh"}, "gelu_tanh", 20),
        ("Abs", {}, "abs", 13),
        ("Clip", {"min": -1.0, "max": 2.0}, "clip", 8),
    ],
)
def test_functions(operator: str, attributes: dict[str, float], function: str, opset: int) -> None:
    found = behind_linear([N(operator, ["h"], ["y"], **attributes)], opset=opset)
    assert found == [function]


def test_sigmoid_inside_the_model() -> None:
    nodes = [N("Sigmoid", ["h"], ["s"]), N("MatMul", ["s", "w1"], ["y"])]
    assert behind_linear(nodes, {"w1": weights(40, 3)}) == ["sigmoid", "linear"]


def test_final_sigmoid_stays_in_software() -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Sigmoid", ["h"], ["y"])]
    graph = imported(model(nodes, {"x": [1, 6]}, constants={"w": weights(6, 3)}))
    assert ops(graph) == ["linear"]
    assert [s["operator"] for s in graph.software] == ["Sigmoid"]


_C = {"half": np.float32(0.5), "one": np.float32(1.0), "three": np.float32(3.0), "sixth": np.float32(1 / 6)}


def _gelu_erf(first: str) -> list[onnx.NodeProto]:
    scale = N("Div", ["h", "c_root2"], ["s"]) if first == "div" else N("Mul", ["h", "c_rroot2"], ["s"])
    return [
        scale,
        N("Erf", ["s"], ["e"]),
        N("Add", ["e", "one"], ["p"]),
        N("Mul", ["h", "p"] if first == "div" else ["p", "half"], ["q"]),
        N("Mul", ["q", "half"] if first == "div" else ["h", "q"], ["y"]),
    ]


def _gelu_tanh() -> list[onnx.NodeProto]:
    return [
        N("Pow", ["h", "three"], ["c"]),
        N("Mul", ["c", "c_k"], ["kc"]),
        N("Add", ["h", "kc"], ["i"]),
        N("Mul", ["i", "c_r"], ["ir"]),
        N("Tanh", ["ir"], ["t"]),
        N("Add", ["t", "one"], ["p"]),
        N("Mul", ["h", "half"], ["hh"]),
        N("Mul", ["hh", "p"], ["y"]),
    ]


@pytest.mark.parametrize(
    ("nodes", "function"),
    [
        (_gelu_erf("div"), "gelu"),
        (_gelu_erf("mul"), "gelu"),
        (_gelu_tanh(), "gelu_tanh"),
        ([N("Sigmoid", ["h"], ["s"]), N("Mul", ["h", "s"], ["y"])], "silu"),
        (
            [N("Mul", ["h", "c_q"], ["a"]), N("Sigmoid", ["a"], ["s"]), N("Mul", ["h", "s"], ["y"])],
            "swish",
        ),
        (
            [
                N("Add", ["h", "three"], ["a"]),
                N("Clip", ["a", "zero", "six"], ["c"]),
                N("Mul", ["h", "c"], ["m"]),
                N("Div", ["m", "six"], ["y"]),
            ],
            "hard_swish",
        ),
        ([N("HardSigmoid", ["h"], ["s"], alpha=1 / 6), N("Mul", ["s", "h"], ["y"])], "hard_swish"),
        ([N("Softplus", ["h"], ["s"]), N("Tanh", ["s"], ["t"]), N("Mul", ["t", "h"], ["y"])], "mish"),
        ([N("Max", ["h", "zero"], ["m"]), N("Min", ["m", "six"], ["y"])], "clip"),
        ([N("Clip", ["h", "zero"], ["y"])], "relu"),
        ([N("PRelu", ["h", "q1"], ["y"])], "leaky_relu"),
        (
            [N("Greater", ["h", "zero"], ["g"]), N("Mul", ["h", "sixth"], ["m"]), N("Where", ["g", "h", "m"], ["y"])],
            "leaky_relu",
        ),
        ([N("Relu", ["h"], ["r"]), N("Clip", ["r", "", "six"], ["y"])], "clip"),
    ],
)
def test_spelt_out_functions_are_recognised(nodes: list[onnx.NodeProto], function: str) -> None:
    constants = {
        **_C,
        "c_root2": np.float32(np.sqrt(2)),
        "c_rroot2": np.float32(np.sqrt(0.5)),
        "c_k": np.float32(0.044715),
        "c_r": np.float32(np.sqrt(2 / np.pi)),
        "zero": np.float32(0),
        "six": np.float32(6),
        "c_q": np.float32(1.702),
        "q1": np.array([0.2], dtype=np.float32),
    }
    assert behind_linear(nodes, constants) == [function]


def test_a_function_that_is_no_operator_is_built_from_its_parts() -> None:
    nodes = [N("Relu", ["h"], ["r"]), N("Tanh", ["h"], ["t"]), N("Add", ["r", "t"], ["y"])]
    assert sorted(behind_linear(nodes)) == ["add", "relu", "tanh"]


def test_intermediate_result_with_two_uses() -> None:
    nodes = [N("Relu", ["h"], ["r"]), N("MatMul", ["r", "w1"], ["m"]), N("Add", ["m", "r"], ["y"])]
    assert behind_linear(nodes, {"w1": weights(40, 40)}) == ["relu", "linear", "add"]


def test_residual_around_a_convolution() -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"], pads=[1, 1, 1, 1]),
        N("Relu", ["h"], ["r"]),
        N("Add", ["x", "r"], ["a"]),
        N("Flatten", ["a"], ["f"]),
        N("MatMul", ["f", "v"], ["y"]),
    ]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants={"w": weights(3, 3, 3, 3), "v": weights(90, 4)}))
    assert ops(graph) == ["conv", "relu", "add", "reshape", "linear"]


@pytest.mark.parametrize("operator", ["Add", "Mul", "Sub"])
def test_two_activations(operator: str) -> None:
    nodes = [
        N("MatMul", ["x", "w"], ["a"]),
        N("MatMul", ["x", "v"], ["b"]),
        N("Tanh", ["a"], ["t"]),
        N(operator, ["t", "b"], ["y"]),
    ]
    compare(model(nodes, {"x": [1, 5, 6]}, constants={"w": weights(6, 4), "v": weights(6, 4, seed=2)}))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_sum_of_many(count: int) -> None:
    """ResNets of the ONNX zoo join their branches with Sum."""
    nodes = [N("MatMul", ["x", f"w{i}"], [f"h{i}"]) for i in range(count)]
    nodes.append(N("Sum", [f"h{i}" for i in range(count)], ["s"]))
    nodes.append(N("Sum", ["s", "c"], ["y"]))
    constants = {f"w{i}": weights(6, 4, seed=i) for i in range(count)} | {"c": weights(4)}
    graph = compare(model(nodes, {"x": [1, 5, 6]}, constants=constants))
    assert ops(graph) == ["linear"] * count + ["add"] * (count if count > 1 else 0)  # the constant goes into a bias


@pytest.mark.parametrize("other", ["zero", "half"])
def test_a_where_without_a_hardware_form_is_refused(other: str) -> None:
    """It crashed with an IndexError."""
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("Greater", ["h", "half"], ["g"]),
        N("Where", ["g", "h", other], ["s"]),
        N("MatMul", ["s", "w"], ["y"]),
    ]
    constants = {"half": np.float32(0.5), "zero": np.float32(0), "w": weights(6, 6)}
    if other == "half":
        compare(model(nodes, {"x": [1, 6]}, constants=constants))
        return
    with pytest.raises(ModelError, match="where") as caught:
        imported(model(nodes, {"x": [1, 6]}, constants=constants))
    assert caught.value.kind == "unsupported-model"


def test_square_of_an_activation() -> None:
    assert behind_linear([N("Mul", ["h", "h"], ["y"])]) == ["mul"]


def test_squeeze_and_excitation_broadcasts_a_row() -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"]),
        N("GlobalAveragePool", ["h"], ["g"]),
        N("Conv", ["g", "e"], ["s"]),
        N("HardSigmoid", ["s"], ["gate"], alpha=1 / 6),
        N("Mul", ["gate", "h"], ["y"]),
    ]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants={"w": weights(4, 3, 3, 3), "e": weights(4, 4, 1, 1)}))
    assert ops(graph)[-1] == "mul"


def test_spatial_gate_broadcasts_a_column() -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"]),
        N("Conv", ["h", "e"], ["s"]),
        N("Tanh", ["s"], ["gate"]),
        N("Mul", ["h", "gate"], ["y"]),
    ]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants={"w": weights(4, 3, 3, 3), "e": weights(1, 4, 1, 1)}))
    assert ops(graph) == ["conv", "conv", "pointwise", "mul"]


def test_number_for_the_whole_sample() -> None:
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("ReduceMean", ["h"], ["m"], axes=[1, 2]),
        N("Tanh", ["m"], ["t"]),
        N("Mul", ["h", "t"], ["y"]),
    ]
    compare(model(nodes, {"x": [1, 5, 6]}, constants={"w": weights(6, 4)}))


def test_position_embedding_stays_an_addition() -> None:
    graph = compare(model([N("Add", ["x", "p"], ["y"])], {"x": [1, 5, 6]}, constants={"p": weights(5, 6)}))
    assert graph.node("constant1").shape.dims == (5, 6)


@pytest.mark.parametrize(
    ("node", "word"),
    [
        (N("Sqrt", ["h"], ["y"]), "square root"),
        (N("Div", ["one", "h"], ["y"]), "reciprocal"),
        (N("Pow", ["h", "h"], ["y"]), "constant"),
        (N("Div", ["h", "zero"], ["y"]), "division by zero"),
        (N("Clip", ["h", "one", "zero"], ["y"]), "empty range"),
        (N("PRelu", ["h", "slopes"], ["y"]), "one slope"),
    ],
)
def test_refused_functions(node: onnx.NodeProto, word: str) -> None:
    constants = {**_C, "zero": np.float32(0), "w0": weights(6, 40), "slopes": weights(40)}
    with pytest.raises(ModelError, match=word) as caught:
        imported(model([N("MatMul", ["x", "w0"], ["h"]), node], {"x": [1, 6]}, constants=constants))
    assert caught.value.kind == "unsupported-model"
    assert caught.value.issues[0].operator == node.op_type


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("chosen", [True, False])
def test_where_that_always_chooses_one(rows: int, chosen: bool) -> None:
    """Exporters guard softmaxes with it; where it also copies rows, it is refused."""
    keep, masked = np.full((rows, 6), chosen), np.full((1, 6), -1e9, np.float32)
    operands = ["keep", "h", "masked"] if chosen else ["keep", "masked", "h"]
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Where", operands, ["m"]), N("MatMul", ["m", "v"], ["y"])]
    constants = {"w": weights(6, 6), "v": weights(6, 2), "keep": keep, "masked": masked}
    proto = model(nodes, {"x": [1, 6]}, constants=constants)
    if rows == 1:
        assert ops(compare(proto)) == ["linear", "linear"]
    else:
        with pytest.raises(ModelError, match="copies"):
            imported(proto)
