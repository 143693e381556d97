"""Matrix products against onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from hwgen.errors import ModelError
from tests.hwgen.importer.support import N, compare, imported, model, ops, weights


@pytest.mark.parametrize("opset", [8, 9, 11, 13, 17, 20])
@pytest.mark.parametrize(("transposed", "alpha", "beta"), [(0, 1.0, 1.0), (1, 0.5, 2.0)])
def test_gemm(opset: int, transposed: int, alpha: float, beta: float) -> None:
    w = weights(5, 7) if transposed else weights(7, 5)
    node = N("Gemm", ["x", "w", "b"], ["y"], transB=transposed, alpha=alpha, beta=beta)
    graph = compare(model([node], {"x": [1, 7]}, constants={"w": w, "b": weights(5)}, opset=opset))
    assert ops(graph) == ["linear"]


def test_gemm_of_transposed_data() -> None:
    nodes = [N("Squeeze", ["x", "first"], ["h"]), N("Gemm", ["h", "w"], ["y"], transA=1)]
    constants = {"first": np.array([0]), "w": weights(6, 5)}
    compare(model(nodes, {"x": [1, 6, 7]}, constants=constants))


def test_matmul_and_bias_become_one_linear() -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Add", ["b", "h"], ["y"])]
    graph = compare(model(nodes, {"x": ["batch", 6, 7]}, constants={"w": weights(7, 5), "b": weights(5)}))
    assert ops(graph) == ["linear"]


def test_constant_on_the_left() -> None:
    graph = compare(model([N("MatMul", ["w", "x"], ["y"])], {"x": [1, 6, 7]}, constants={"w": weights(5, 6)}))
    assert "linear" in ops(graph)


@pytest.mark.parametrize("keys", [5, 9])
def test_products_of_two_activations(keys: int) -> None:
    nodes = [
        N("Reshape", ["q", "split"], ["q4"]),
        N("Transpose", ["q4"], ["qh"], perm=[0, 2, 1, 3]),
        N("Reshape", ["k", "split"], ["k4"]),
        N("Transpose", ["k4"], ["kh"], perm=[0, 2, 3, 1]),
        N("Transpose", ["k4"], ["vh"], perm=[0, 2, 1, 3]),
        N("MatMul", ["qh", "kh"], ["s"]),
        N("Div", ["s", "root"], ["scaled"]),
        N("Softmax", ["scaled"], ["p"], axis=-1),
        N("MatMul", ["p", "vh"], ["o"]),
        N("Transpose", ["o"], ["ot"], perm=[0, 2, 1, 3]),
        N("Reshape", ["ot", "join"], ["y"]),
    ]
    constants = {"split": np.array([1, -1, 3, 4]), "join": np.array([1, -1, 12]), "root": np.float32(2.0)}
    graph = compare(model(nodes, {"q": [1, 5, 12], "k": [1, keys, 12]}, constants=constants))
    assert ops(graph) == ["matmul", "mul", "softmax", "matmul"]


def test_product_over_heads_that_stand_in_front_of_the_tokens_moves_data() -> None:
    graph = compare(model([N("MatMul", ["a", "b"], ["y"])], {"a": [1, 3, 5, 4], "b": [1, 3, 4, 6]}))
    assert ops(graph) == ["matmul"]  # the inputs are laid out differently instead
    assert graph.inputs[0].order == (1, 0, 2)


def test_keys_shared_by_all_heads() -> None:
    graph = compare(model([N("MatMul", ["a", "b"], ["y"])], {"a": [1, 3, 5, 4], "b": [1, 1, 4, 6]}))
    assert ops(graph) == ["matmul"]


def test_attention_scale_folds_into_the_queries() -> None:
    nodes = [
        N("MatMul", ["x", "wq"], ["q"]),
        N("MatMul", ["x", "wk"], ["k"]),
        N("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        N("MatMul", ["q", "kt"], ["s"]),
        N("Mul", ["s", "scale"], ["y"]),
    ]
    constants = {"wq": weights(6, 4), "wk": weights(6, 4, seed=2), "scale": np.float32(0.5)}
    graph = compare(model(nodes, {"x": [1, 5, 6]}, constants=constants))
    assert ops(graph) == ["linear", "linear", "matmul"]


def test_token_mixing_moves_data() -> None:
    nodes = [
        N("MatMul", ["x", "w1"], ["h"]),
        N("Transpose", ["h"], ["ht"], perm=[0, 2, 1]),
        N("MatMul", ["ht", "w2"], ["m"]),
        N("Transpose", ["m"], ["mt"], perm=[0, 2, 1]),
        N("MatMul", ["mt", "w3"], ["y"]),
    ]
    constants = {"w1": weights(4, 6), "w2": weights(5, 3), "w3": weights(6, 2)}
    graph = compare(model(nodes, {"x": [1, 5, 4]}, constants=constants))
    assert ops(graph) == ["linear", "permute", "linear", "permute", "linear"]


@pytest.mark.parametrize(
    ("equation", "a", "b", "constant"),
    [
        ("bid,de->bie", [1, 5, 6], [6, 4], True),
        ("bid,dhe->bhie", [1, 5, 6], [6, 2, 3], True),
        ("de,bid->bie", [6, 4], [1, 5, 6], False),
        ("bhid,bhjd->bhij", [1, 2, 5, 3], [1, 2, 7, 3], False),
        ("bihd,bjhd->bhij", [1, 5, 2, 3], [1, 7, 2, 3], False),
        ("bhij,bjhd->bihd", [1, 2, 5, 7], [1, 7, 2, 3], False),
    ],
)
def test_einsum(equation: str, a: list[int], b: list[int], constant: bool) -> None:
    node = N("Einsum", ["a", "b"], ["y"], equation=equation)
    inputs, constants = {"a": a, "b": b}, {}
    if constant or equation.startswith("de"):
        name = "b" if constant else "a"
        constants = {name: weights(*inputs.pop(name))}
    graph = compare(model([node], inputs, constants=constants))
    assert [o for o in ops(graph) if o != "reshape"] == ["linear" if constants else "matmul"]


@pytest.mark.parametrize("equation", ["bij->bji", "bid,bid->bi", "bij,jk->bk", "...ij,jk->...ik", "bii,ij->bj"])
def test_other_einsums_are_refused(equation: str) -> None:
    operands = ["a", "w"] if "," in equation else ["a"]
    node = N("Einsum", operands, ["y"], equation=equation)
    with pytest.raises(ModelError, match="Einsum"):
        imported(model([node], {"a": [1, 4, 4]}, constants={"w": weights(4, 4)}))


@pytest.mark.parametrize("opset", [onnx.defs.onnx_opset_version(), 24])
def test_newest_opset(opset: int) -> None:
    nodes = [
        N("Conv", ["x", "w"], ["c"]),
        N("Relu", ["c"], ["r"]),
        N("Flatten", ["r"], ["f"]),
        N("Gemm", ["f", "v"], ["y"]),
    ]
    proto = model(nodes, {"x": [1, 3, 6, 5]}, constants={"w": weights(4, 3, 3, 3), "v": weights(48, 4)}, opset=opset)
    if opset == 24:
        compare(proto)
    assert ops(imported(proto)) == ["conv", "relu", "reshape", "linear"]


@pytest.mark.parametrize("shape", [(), (1,), (6,), (1, 6), (1, 1), (6, 1), (6, 6)])
def test_gemm_addend_of_every_shape(shape: tuple[int, ...]) -> None:
    """As many rows as outputs: a column of numbers is not a row of them."""
    nodes = [N("Gemm", ["x", "w", "b"], ["y"], transA=1)]
    compare(model(nodes, {"x": [1, 6]}, constants={"w": weights(1, 6), "b": weights(*shape, seed=2)}))
