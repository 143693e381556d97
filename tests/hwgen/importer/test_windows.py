"""Convolutions, pools and padding against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hwgen.importer.support import N, attributes, compare, model, ops, weights


@pytest.mark.parametrize("opset", [8, 11, 17, 22])
@pytest.mark.parametrize(
    ("kernel", "strides", "pads", "dilations", "group"),
    [
        ((3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
        ((2, 5), (2, 3), (0, 2, 1, 0), (1, 1), 2),
        ((3, 3), (1, 2), (2, 0, 2, 1), (2, 1), 4),
        ((1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    ],
)
def test_conv(
    opset: int, kernel: list[int], strides: list[int], pads: list[int], dilations: list[int], group: int
) -> None:
    w, b = weights(8, 4 // group, *kernel), weights(8)
    node = N("Conv", ["x", "w", "b"], ["y"], strides=strides, pads=pads, dilations=dilations, group=group)
    graph = compare(model([node], {"x": [1, 4, 9, 11]}, constants={"w": w, "b": b}, opset=opset))
    assert ops(graph) == ["conv"]


def test_one_dimensional_conv_and_pool() -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"], strides=[2], pads=[1, 0], dilations=[2]),
        N("MaxPool", ["h"], ["p"], kernel_shape=[2], strides=[2]),
        N("Flatten", ["p"], ["f"]),
        N("MatMul", ["f", "v"], ["y"]),
    ]
    graph = compare(model(nodes, {"x": [1, 3, 20]}, constants={"w": weights(5, 3, 3), "v": weights(20, 4)}))
    assert ops(graph) == ["conv", "max_pool", "reshape", "linear"]
    assert graph.node("conv1").shape.grid == (1, 9)


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_auto_pad(mode: str, stride: int) -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"], auto_pad=mode, strides=[stride, stride], kernel_shape=[3, 2]),
        N("MaxPool", ["h"], ["m"], auto_pad=mode, kernel_shape=[2, 3], strides=[1, 2]),
        N("AveragePool", ["m"], ["y"], auto_pad=mode, kernel_shape=[2, 2], strides=[1, 1]),
    ]
    compare(model(nodes, {"x": [1, 2, 14, 17]}, constants={"w": weights(3, 2, 3, 2)}))


@pytest.mark.parametrize("opset", [10, 12, 19, 22])
@pytest.mark.parametrize("ceil_mode", [0, 1])
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("size", [(7, 8), (10, 9)])
def test_pools(opset: int, ceil_mode: int, operator: str, size: tuple[int, int]) -> None:
    more = {} if operator == "MaxPool" else {"count_include_pad": 1}
    node = N(
        operator, ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 1, 1], ceil_mode=ceil_mode, **more
    )
    graph = compare(model([node], {"x": [1, 3, *size]}, opset=opset))
    assert graph.inputs[0].order == (1, 2, 0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_windows(data: st.DataObject) -> None:
    draw = data.draw
    operator = draw(st.sampled_from(["Conv", "MaxPool", "AveragePool"]))
    size = [draw(st.integers(5, 12)) for _ in range(2)]
    kernel = [draw(st.integers(1, 4)) for _ in range(2)]
    strides = [draw(st.integers(1, 3)) for _ in range(2)]
    dilations = [draw(st.integers(1, 2)) if operator != "AveragePool" and k < 3 else 1 for k in kernel]
    pads = [draw(st.integers(0, kernel[i % 2] - 1)) for i in range(4)]
    channels = draw(st.integers(1, 4))
    common = {"strides": strides, "pads": pads}
    if operator == "Conv":
        group = draw(st.sampled_from([1, channels]))
        constants = {"w": weights(channels * 2, channels // group, *kernel)}
        node = N("Conv", ["x", "w"], ["y"], group=group, dilations=dilations, **common)
    else:
        constants = {}
        ceil_mode = draw(st.integers(0, 1))
        more = {"dilations": dilations} if operator == "MaxPool" else {"count_include_pad": draw(st.integers(0, 1))}
        node = N(operator, ["x"], ["y"], kernel_shape=kernel, ceil_mode=ceil_mode, **common, **more)
    compare(model([node], {"x": [1, channels, *size]}, constants=constants))


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [[1, 5, 6, 7], [1, 5, 9]])
def test_global_pools(operator: str, shape: list[int]) -> None:
    nodes = [N(operator, ["x"], ["p"]), N("Flatten", ["p"], ["f"]), N("MatMul", ["f", "w"], ["y"])]
    compare(model(nodes, {"x": shape}, constants={"w": weights(5, 3)}))


@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceSum", "ReduceMax"])
@pytest.mark.parametrize("axes", [[2, 3], [-1, -2], [1], [3], [1, 2, 3]])
@pytest.mark.parametrize("keep", [0, 1])
def test_reductions(operator: str, axes: list[int], keep: int) -> None:
    nodes = [N("Conv", ["x", "w"], ["h"]), N(operator, ["h", "axes"], ["y"], keepdims=keep)]
    constants = {"w": weights(4, 3, 2, 2), "axes": np.array(axes)}
    compare(model(nodes, {"x": [1, 3, 6, 7]}, constants=constants, opset=18))


def test_reduce_mean_with_axes_attribute() -> None:
    compare(model([N("ReduceMean", ["x"], ["y"], axes=[1], keepdims=0)], {"x": [1, 6, 7]}, opset=11))


@pytest.mark.parametrize("opset", [10, 13, 19])
@pytest.mark.parametrize("follower", ["Conv", "AveragePool"])
def test_pad_is_taken_over(opset: int, follower: str) -> None:
    pads = [0, 0, 1, 2, 0, 0, 0, 1]
    pad = N("Pad", ["x"], ["p"], pads=pads) if opset < 11 else N("Pad", ["x", "pads"], ["p"])
    constants = {"w": weights(4, 3, 3, 3)} | ({} if opset < 11 else {"pads": np.array(pads)})
    last = N("Conv", ["p", "w"], ["y"]) if follower == "Conv" else N("AveragePool", ["p"], ["y"], kernel_shape=[3, 3])
    graph = compare(model([pad, last], {"x": [1, 3, 8, 8]}, constants=constants, opset=opset))
    assert len(ops(graph)) == 1


def test_zero_pad_before_max_pool_needs_values_that_are_never_negative() -> None:
    pads = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    pool = [N("Pad", ["r", "pads"], ["p"]), N("MaxPool", ["p"], ["y"], kernel_shape=[3, 3], strides=[2, 2])]
    conv = N("Conv", ["x", "w"], ["c"])
    constants = {"w": weights(4, 3, 3, 3), "pads": pads}
    graph = compare(model([conv, N("Relu", ["c"], ["r"]), *pool], {"x": [1, 3, 9, 9]}, constants=constants))
    assert ops(graph) == ["conv", "relu", "max_pool"]
    graph = compare(model([conv, N("Identity", ["c"], ["r"]), *pool], {"x": [1, 3, 9, 9]}, constants=constants))
    assert ops(graph) == ["conv", "pad", "pad", "max_pool"]


@pytest.mark.parametrize("group", [1, 6])
def test_channels_last_model_costs_nothing(group: int) -> None:
    """A converted Keras model: NHWC input, a Transpose before and behind each convolution."""
    nodes = [
        N("Transpose", ["x"], ["x1"], perm=[0, 3, 1, 2]),
        N("Conv", ["x1", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        N("Transpose", ["c1"], ["h1"], perm=[0, 2, 3, 1]),
        N("Relu", ["h1"], ["r1"]),
        N("Transpose", ["r1"], ["x2"], perm=[0, 3, 1, 2]),
        N("Conv", ["x2", "w2"], ["c2"], strides=[2, 2], group=group),
        N("Transpose", ["c2"], ["h2"], perm=[0, 2, 3, 1]),
        N("Reshape", ["h2", "flat"], ["f"]),
        N("MatMul", ["f", "v"], ["y"]),
    ]
    constants = {
        "w1": weights(6, 3, 3, 3),
        "b1": weights(6),
        "w2": weights(6, 6 // group, 2, 2),
        "flat": np.array([-1, 96]),
        "v": weights(96, 4),
    }
    graph = compare(model(nodes, {"x": ["n", 8, 8, 3]}, constants=constants))
    assert ops(graph) == ["conv", "relu", "conv", "reshape", "linear"]
    assert graph.inputs[0].order == (0, 1, 2)


def test_flatten_after_conv_permutes_weights_only() -> None:
    nodes = [N("Conv", ["x", "w"], ["h"]), N("Flatten", ["h"], ["f"]), N("Gemm", ["f", "v"], ["y"])]
    graph = compare(model(nodes, {"x": [1, 3, 7, 6]}, constants={"w": weights(4, 3, 3, 3), "v": weights(80, 5)}))
    assert ops(graph) == ["conv", "reshape", "linear"]


def test_channel_shuffle_before_a_plain_conv_permutes_weights_only() -> None:
    nodes = [
        N("Conv", ["x", "w"], ["h"]),
        N("Reshape", ["h", "split"], ["s"]),
        N("Transpose", ["s"], ["t"], perm=[0, 2, 1, 3, 4]),
        N("Reshape", ["t", "join"], ["j"]),
        N("Conv", ["j", "v"], ["y"]),
    ]
    constants = {
        "w": weights(6, 3, 1, 1),
        "v": weights(4, 6, 3, 3),
        "split": np.array([1, 2, 3, 7, 7]),
        "join": np.array([1, 6, 7, 7]),
    }
    graph = compare(model(nodes, {"x": [1, 3, 7, 7]}, constants=constants))
    assert ops(graph) == ["conv", "conv"]


@pytest.mark.parametrize(
    ("operator", "mode"), [("DepthToSpace", None), ("DepthToSpace", "CRD"), ("SpaceToDepth", None)]
)
def test_space_and_depth(operator: str, mode: str | None) -> None:
    more = attributes(mode=mode)
    nodes = [N("Conv", ["x", "w"], ["h"]), N(operator, ["h"], ["d"], blocksize=2, **more), N("Relu", ["d"], ["y"])]
    compare(model(nodes, {"x": [1, 3, 6, 6]}, constants={"w": weights(8, 3, 1, 1)}))


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("size", [(2, 2), (2, 5)])
def test_in_ceil_mode_a_window_may_be_larger_than_the_image(operator: str, size: tuple[int, int]) -> None:
    node = N(operator, ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    compare(model([node], {"x": [1, 4, *size]}))
