"""Reshape, transpose, slices, joins, embeddings and folded shape arithmetic against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelError
from hwgen.model.onnx.view import View, plain_view, refined, stream_view
from tests.hwgen.importer.support import N, compare, imported, model, ops, weights


def _tensor(view: View) -> np.ndarray:
    """What a view shows of a node whose stream counts up."""
    stream = np.arange(view.elements).reshape(view.sizes)
    return stream.transpose(view.sequence).reshape(view.shape)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_views_follow_numpy(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=4))
    view, array = plain_view("n", sizes), np.arange(int(np.prod(sizes))).reshape(sizes)
    for _ in range(data.draw(st.integers(1, 5))):
        if data.draw(st.booleans()):
            order = data.draw(st.permutations(range(array.ndim)))
            view, array = view.transposed(order), array.transpose(order)
        else:
            factors = data.draw(st.sampled_from([(2, -1), (-1,), (1, -1), (-1, 3), (-1, 2, 1), (3, -1, 2)]))
            if array.size % abs(int(np.prod(factors))):
                continue
            reshaped = array.reshape(factors)
            found = view.reshaped(reshaped.shape)
            if found is None:
                continue
            view, array = found, reshaped
        assert view.shape == array.shape
        np.testing.assert_array_equal(_tensor(view), array)
        np.testing.assert_array_equal(_tensor(view.merged()), array)
        np.testing.assert_array_equal(view.to_stream(array).reshape(-1), np.arange(array.size))


def test_refined_views_have_equal_factors() -> None:
    a = stream_view("a", [(4, 1), (6, 0)], 2)
    b = plain_view("b", (2, 3, 4)).transposed((0, 1, 2)).reshaped((6, 4))
    assert b is not None
    left, right = refined(a, b) or (a, b)
    assert [[left.sizes[f] for f in d] for d in left.dims] == [[right.sizes[f] for f in d] for d in right.dims]


@pytest.mark.parametrize("opset", [8, 12, 13, 17])
def test_squeeze_and_unsqueeze(opset: int) -> None:
    by_attribute = opset < 13
    constants = {"w": weights(6, 4)} | ({} if by_attribute else {"one": np.array([1]), "both": np.array([1, 3])})
    nodes = [
        N("Unsqueeze", ["x"], ["u"], axes=[1]) if by_attribute else N("Unsqueeze", ["x", "one"], ["u"]),
        N("MatMul", ["u", "w"], ["m"]),
        N("Squeeze", ["m"], ["y"], axes=[1]) if by_attribute else N("Squeeze", ["m", "one"], ["y"]),
    ]
    assert ops(compare(model(nodes, {"x": [1, 5, 6]}, constants=constants, opset=opset))) == ["linear"]


@pytest.mark.parametrize("opset", [8, 9, 10, 13, 17])
def test_slice(opset: int) -> None:
    names = {"starts": [1, -3], "ends": [4, 100], "axes": [1, 2]}
    if opset < 10:
        cut, constants = N("Slice", ["h"], ["y"], **names), {}
    else:
        cut, constants = N("Slice", ["h", *names], ["y"]), {k: np.array(v) for k, v in names.items()}
    nodes = [N("MatMul", ["x", "w"], ["h"]), cut]
    graph = compare(model(nodes, {"x": [1, 5, 6]}, constants={"w": weights(6, 7), **constants}, opset=opset))
    assert ops(graph) == ["linear", "slice", "slice"]


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("opset", [11, 13, 18])
def test_split_and_concat(axis: int, opset: int) -> None:
    sizes = {1: [1, 3], 2: [2, 4], 3: [2, 3]}[axis]
    constants = {"w": weights(4, 3, 1, 1)} | ({"sizes": np.array(sizes)} if opset >= 13 else {})
    split = (
        N("Split", ["h", "sizes"], ["a", "b"], axis=axis)
        if opset >= 13
        else N("Split", ["h"], ["a", "b"], axis=axis, split=sizes)
    )
    nodes = [N("Conv", ["x", "w"], ["h"]), split, N("Concat", ["b", "a"], ["y"], axis=axis)]
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants, opset=opset))
    assert sorted(ops(graph)) == ["concat", "conv", "slice", "slice"]


def test_even_split() -> None:
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("Split", ["h"], ["a", "b", "c"], axis=-1),
        N("Concat", ["c", "a", "b"], ["y"], axis=-1),
    ]
    compare(model(nodes, {"x": [1, 5, 6]}, constants={"w": weights(6, 9)}, opset=13))


def test_concat_with_a_constant_token() -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Concat", ["token", "h"], ["c"], axis=1), N("MatMul", ["c", "v"], ["y"])]
    constants = {"w": weights(6, 4), "token": weights(1, 1, 4), "v": weights(4, 3)}
    assert ops(compare(model(nodes, {"x": [1, 5, 6]}, constants=constants))) == ["linear", "concat", "linear"]


def test_branches_that_are_flattened_and_joined() -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"]),
        N("Flatten", ["h"], ["f"]),
        N("MatMul", ["z", "u"], ["g"]),
        N("Concat", ["f", "g"], ["c"], axis=1),
        N("MatMul", ["c", "v"], ["y"]),
    ]
    constants = {"w": weights(4, 3, 3, 3), "u": weights(5, 7), "v": weights(4 * 12 + 7, 3)}
    compare(model(nodes, {"x": [1, 3, 6, 5], "z": [1, 5]}, constants=constants))


@pytest.mark.parametrize("index", [0, 2, -1])
def test_gather_takes_one_token(index: int) -> None:
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Gather", ["h", "i"], ["t"], axis=1), N("MatMul", ["t", "v"], ["y"])]
    constants = {"w": weights(6, 4), "i": np.array(index), "v": weights(4, 3)}
    assert ops(compare(model(nodes, {"x": [1, 5, 6]}, constants=constants))) == ["linear", "slice", "linear"]


def test_embedding_with_positions() -> None:
    nodes = [
        N("Gather", ["table", "ids"], ["e"]),
        N("Shape", ["ids"], ["s"]),
        N("Gather", ["s", "one"], ["length"]),
        N("Range", ["zero", "length", "one"], ["positions"]),
        N("Gather", ["places", "positions"], ["p"]),
        N("Add", ["e", "p"], ["a"]),
        N("MatMul", ["a", "w"], ["y"]),
    ]
    constants = {
        "table": weights(11, 6),
        "places": weights(20, 6, seed=3),
        "one": np.array(1),
        "zero": np.array(0),
        "w": weights(6, 4),
    }
    graph = compare(model(nodes, {"ids": ["batch", 7]}, constants=constants, integer=["ids"]))
    assert ops(graph) == ["embedding", "add", "linear"]
    assert graph.inputs[0].integer
    assert graph.node("input1").shape.dims == (7, 1)


def test_reshape_by_computed_shape() -> None:
    """What exporters make of ``x.view(x.size(0), -1)``."""
    nodes = [
        N("Conv", ["x", "w"], ["h"]),
        N("Shape", ["h"], ["s"]),
        N("Gather", ["s", "zero"], ["b"], axis=0),
        N("Unsqueeze", ["b", "first"], ["bu"]),
        N("Concat", ["bu", "rest"], ["target"], axis=0),
        N("Reshape", ["h", "target"], ["f"]),
        N("Gemm", ["f", "v"], ["y"]),
    ]
    constants = {
        "w": weights(4, 3, 3, 3),
        "v": weights(48, 5),
        "zero": np.array(0),
        "first": np.array([0]),
        "rest": np.array([-1]),
    }
    graph = compare(model(nodes, {"x": ["n", 3, 6, 5]}, constants=constants))
    assert ops(graph) == ["conv", "reshape", "linear"]


def test_output_in_channels_first_order() -> None:
    graph = compare(model([N("Conv", ["x", "w"], ["y"])], {"x": [1, 3, 6, 5]}, constants={"w": weights(4, 3, 3, 3)}))
    assert graph.outputs[0].shape == (4, 4, 3)


def test_two_outputs_and_a_duplicate_through_softmax() -> None:
    nodes = [
        N("MatMul", ["x", "w"], ["logits"]),
        N("Softmax", ["logits"], ["p"], axis=-1),
        N("Relu", ["logits"], ["r"]),
    ]
    proto = model(nodes, {"x": [1, 6]}, ["logits", "p", "r"], {"w": weights(6, 4)})
    graph = imported(proto)
    assert [o.source for o in graph.outputs] == ["logits", "r"]
    assert [dict(s)["operator"] for s in graph.software] == ["Softmax"]


def test_integer_pixels_are_no_token_ids() -> None:
    nodes = [N("Cast", ["x"], ["f"], to=1), N("Div", ["f", "full"], ["s"]), N("Conv", ["s", "w"], ["y"])]
    constants = {"full": np.float32(255), "w": weights(4, 3, 3, 3)}
    graph = compare(model(nodes, {"x": [1, 3, 6, 5]}, constants=constants, integer=["x"]))
    assert ops(graph) == ["conv"]
    assert not graph.inputs[0].integer


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize(
    ("axes", "starts", "ends", "steps"),
    [
        ([1], [0], [99], [2]),
        ([2], [1], [99], [3]),
        ([3], [0], [-1], [2]),
        ([1, 2], [0, 1], [99, 99], [2, 2]),
        ([2], [-1], [99], [4]),
    ],
)
def test_slice_with_steps(axes: list[int], starts: list[int], ends: list[int], steps: list[int], size: int) -> None:
    constants = {"w": weights(6, 8), "s": np.array(starts), "e": np.array(ends), "a": np.array(axes)}
    constants["d"] = np.array(steps)
    nodes = [N("MatMul", ["x", "w"], ["h"]), N("Slice", ["h", "s", "e", "a", "d"], ["y"])]
    graph = compare(model(nodes, {"x": [1, size, 5, 6]}, constants=constants))
    assert "permute" not in ops(graph)


def test_slice_with_steps_of_a_transposed_tensor() -> None:
    constants = {"w": weights(6, 8), "s": np.array([0]), "e": np.array([99]), "a": np.array([1]), "d": np.array([2])}
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("Transpose", ["h"], ["t"], perm=[0, 2, 1]),
        N("Reshape", ["t", "shape"], ["r"]),
        N("Slice", ["r", "s", "e", "a", "d"], ["y"]),
    ]
    compare(model(nodes, {"x": [1, 3, 6]}, constants={**constants, "shape": np.array([1, 6, 4])}))


def test_a_slice_of_no_axis_is_what_it_slices() -> None:
    constants = dict.fromkeys("sead", np.zeros(0, np.int64))
    nodes = [N("Slice", ["x", *constants], ["h"]), N("Relu", ["h"], ["y"])]
    assert ops(compare(model(nodes, {"x": [1, 4, 3]}, constants=constants))) == ["relu"]


def test_a_slice_that_reverses_is_refused() -> None:
    constants = {"s": np.array([-1]), "e": np.array([-99]), "a": np.array([1]), "d": np.array([-1])}
    proto = model([N("Relu", ["x"], ["h"]), N("Slice", ["h", *"sead"], ["y"])], {"x": [1, 5, 6]}, constants=constants)
    with pytest.raises(ModelError, match="negative step"):
        imported(proto)
