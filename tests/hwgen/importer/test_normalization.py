"""Softmax, masks and layer norm against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.model.kinds.layer_norm import LayerNorm
from hwgen.model.kinds.softmax import Softmax
from hwgen.numbers.arrays import Array
from tests.hwgen.importer.support import N, compare, imported, model, ops, weights

_LAST = N("MatMul", ["p", "v"], ["y"])


@pytest.mark.parametrize(("opset", "axis"), [(8, 1), (11, 2), (12, 1), (13, -1), (13, 2), (17, 1)])
def test_softmax(opset: int, axis: int) -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Softmax", ["h"], ["p"], axis=axis), _LAST]
    compare(model(nodes, {"x": [1, 5, 6]}, constants={"w": weights(6, 4), "v": weights(4, 3)}, opset=opset))


def test_softmax_over_channels_of_an_image() -> None:
    nodes = [N("Conv", ["x", "w"], ["h"]), N("Softmax", ["h"], ["p"], axis=1), N("Conv", ["p", "v"], ["y"])]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants={"w": weights(4, 3, 3, 3), "v": weights(2, 4, 1, 1)}))
    assert ops(graph) == ["conv", "softmax", "conv"]


def _masked(mask_nodes: list[object], constants: dict[str, Array]) -> list[str]:
    nodes = [
        N("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        N("MatMul", ["q", "kt"], ["s"]),
        *mask_nodes,
        N("Softmax", ["m"], ["p"], axis=-1),
        N("MatMul", ["p", "k"], ["y"]),
    ]
    graph = compare(model(nodes, {"q": [1, 6, 4], "k": [1, 6, 4]}, constants=constants))  # type: ignore[list-item]
    assert [n.kind.causal for n in graph.nodes if isinstance(n.kind, Softmax)] == [True]
    return ops(graph)


_TRIANGLE = np.tri(6, dtype=bool)


@pytest.mark.parametrize("low", [-np.inf, -1e9, -3.4028235e38, -65504.0])
@pytest.mark.parametrize("shape", [(6, 6), (1, 6, 6)])
def test_causal_mask_that_is_added(low: float, shape: tuple[int, ...]) -> None:
    mask = np.where(_TRIANGLE, 0, low).astype(np.float32).reshape(shape)
    assert _masked([N("Add", ["s", "mask"], ["m"])], {"mask": mask}) == ["matmul", "softmax", "matmul"]


def test_causal_mask_by_where() -> None:
    constants = {"keep": _TRIANGLE[None], "low": np.float32(-np.inf)}
    assert _masked([N("Where", ["keep", "s", "low"], ["m"])], constants) == ["matmul", "softmax", "matmul"]


def test_causal_mask_by_trilu_of_a_computed_matrix_then_scaled() -> None:
    nodes = [
        N("ConstantOfShape", ["square"], ["ones"], value=_one()),
        N("Trilu", ["ones"], ["tri"], upper=0),
        N("Cast", ["tri"], ["keep"], to=9),
        N("Not", ["keep"], ["drop"]),
        N("Where", ["drop", "low", "s"], ["w"]),
        N("Mul", ["w", "scale"], ["m"]),
    ]
    constants = {"square": np.array([6, 6]), "low": np.float32(-1e9), "scale": np.float32(0.5)}
    assert _masked(nodes, constants) == ["matmul", "mul", "softmax", "matmul"]


def _one() -> object:
    from onnx import helper

    return helper.make_tensor("one", 1, [1], [1.0])


def test_mask_that_hides_nothing_vanishes() -> None:
    nodes = [N("Where", ["keep", "x", "low"], ["m"]), N("Softmax", ["m"], ["p"], axis=-1), _LAST]
    constants = {"keep": np.ones((5, 6), dtype=bool), "low": np.float32(-1e9), "v": weights(6, 3)}
    assert ops(compare(model(nodes, {"x": [1, 5, 6]}, constants=constants))) == ["softmax", "linear"]


@pytest.mark.parametrize(
    ("mask", "word"),
    [(np.tri(6, 6, 1), "causal mask"), (np.tri(6, 6).T, "causal mask"), (np.eye(6), "causal mask")],
)
def test_other_masks_are_refused(mask: Array, word: str) -> None:
    addend = np.where(mask > 0, 0, -np.inf).astype(np.float32)
    nodes = [N("Add", ["x", "mask"], ["m"]), N("Softmax", ["m"], ["p"], axis=-1), N("MatMul", ["p", "v"], ["y"])]
    with pytest.raises(ModelError, match=word):
        imported(model(nodes, {"x": [1, 6, 6]}, constants={"mask": addend, "v": weights(6, 3)}))


def test_mask_without_softmax_is_refused() -> None:
    addend = np.where(_TRIANGLE, 0, -np.inf).astype(np.float32)
    nodes = [N("Add", ["x", "mask"], ["m"]), N("MatMul", ["m", "v"], ["y"])]
    with pytest.raises(ModelError, match="directly before a Softmax"):
        imported(model(nodes, {"x": [1, 6, 6]}, constants={"mask": addend, "v": weights(6, 3)}))


@pytest.mark.parametrize(("axis", "shape"), [(-1, (6,)), (2, (6,)), (1, (5, 6))])
def test_layer_norm(axis: int, shape: tuple[int, ...]) -> None:
    node = N("LayerNormalization", ["x", "g", "b"], ["y"], axis=axis, epsilon=1e-3)
    graph = compare(model([node], {"x": [1, 5, 6]}, constants={"g": weights(*shape), "b": weights(*shape, seed=2)}))
    assert ops(graph) in (["layer_norm"], ["reshape", "layer_norm"])


def test_layer_norm_over_channels_of_a_transposed_image() -> None:
    """ConvNeXt: NCHW, transposed to NHWC for the layer norm and back."""
    nodes = [
        N("Conv", ["x", "w"], ["h"]),
        N("Transpose", ["h"], ["t"], perm=[0, 2, 3, 1]),
        N("LayerNormalization", ["t", "g", "b"], ["n"]),
        N("Transpose", ["n"], ["c"], perm=[0, 3, 1, 2]),
        N("Conv", ["c", "v"], ["y"]),
    ]
    constants = {"w": weights(4, 3, 2, 2), "g": weights(4), "b": weights(4, seed=2), "v": weights(4, 4, 1, 1)}
    assert ops(compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants))) == ["conv", "layer_norm", "conv"]


@pytest.mark.parametrize("square", ["Pow", "Mul"])
@pytest.mark.parametrize("opset", [13, 18])
def test_decomposed_layer_norm(square: str, opset: int) -> None:
    axes = {"axes": np.array([-1])} if opset >= 18 else {}
    mean = lambda a, b: N("ReduceMean", [a, "axes"], [b]) if axes else N("ReduceMean", [a], [b], axes=[-1])  # noqa: E731
    nodes = [
        mean("x", "mean"),
        N("Sub", ["x", "mean"], ["d"]),
        N("Pow", ["d", "two"], ["dd"]) if square == "Pow" else N("Mul", ["d", "d"], ["dd"]),
        mean("dd", "variance"),
        N("Add", ["variance", "epsilon"], ["ve"]),
        N("Sqrt", ["ve"], ["deviation"]),
        N("Div", ["d", "deviation"], ["n"]),
        N("Mul", ["n", "g"], ["ng"]),
        N("Add", ["ng", "b"], ["y"]),
    ]
    constants = {"two": np.float32(2), "epsilon": np.float32(1e-5), "g": weights(6), "b": weights(6, seed=2), **axes}
    graph = compare(model(nodes, {"x": [1, 5, 6]}, constants=constants, opset=opset))
    assert ops(graph) == ["layer_norm"]
    norm = graph.node("layer_norm1").kind
    assert isinstance(norm, LayerNorm)
    assert norm.epsilon == pytest.approx(1e-5)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("shape", [(1, 4, 6), (1, 4, 3, 5)])
def test_instance_norm(shape: tuple[int, ...], plain: bool) -> None:
    scale, bias = (np.ones(4, np.float32), np.zeros(4, np.float32)) if plain else (weights(4), weights(4, seed=2))
    nodes = [N("Relu", ["x"], ["h"]), N("InstanceNormalization", ["h", "scale", "bias"], ["y"], epsilon=1e-3)]
    graph = compare(model(nodes, {"x": shape}, constants={"scale": scale, "bias": bias}))
    assert ops(graph).count("layer_norm") == 1 and ("mul" in ops(graph)) != plain


@pytest.mark.parametrize("groups", [1, 2])
def test_group_norm_as_exporters_spell_it(groups: int) -> None:
    constants = {
        "k": weights(4, 3, 3, 3), "one": np.ones(groups, np.float32), "zero": np.zeros(groups, np.float32),
        "groups": np.array([0, groups, -1]), "image": np.array([1, 4, 3, 4]),
        "gamma": weights(4, 1, 1), "beta": weights(4, 1, 1, seed=2),
    }  # fmt: skip
    nodes = [
        N("Conv", ["x", "k"], ["h"]),
        N("Reshape", ["h", "groups"], ["r"]),
        N("InstanceNormalization", ["r", "one", "zero"], ["n"]),
        N("Reshape", ["n", "image"], ["i"]),
        N("Mul", ["i", "gamma"], ["m"]),
        N("Add", ["m", "beta"], ["y"]),
    ]
    compare(model(nodes, {"x": [1, 3, 5, 6]}, constants=constants))


@pytest.mark.parametrize(("axis", "shape"), [(-1, (6,)), (2, (1,)), (1, (5, 6))])
def test_rms_norm(axis: int, shape: tuple[int, ...]) -> None:
    node = N("RMSNormalization", ["x", "g"], ["y"], axis=axis, epsilon=1e-3)
    graph = compare(model([node], {"x": [1, 5, 6]}, constants={"g": weights(*shape)}, opset=23))
    assert ops(graph) in (["rms_norm"], ["reshape", "rms_norm"])


@pytest.mark.parametrize("epsilon", [0.0, -1.0])
def test_an_rms_norm_whose_epsilon_is_not_positive_is_refused(epsilon: float) -> None:
    node = N("RMSNormalization", ["x", "g"], ["y"], epsilon=epsilon)
    with pytest.raises(ModelError, match="RMS norm"):
        imported(model([node], {"x": [1, 5, 6]}, constants={"g": weights(6)}, opset=23))
