"""Graphs that look like something with a hardware form, and are something else: computed as they are, or refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from hwgen.errors import ModelError
from tests.hwgen.importer.support import N, compare, imported, model, weights


def refused(proto: onnx.ModelProto, word: str) -> None:
    with pytest.raises(ModelError, match=word) as caught:
        imported(proto)
    assert caught.value.kind == "unsupported-model"


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("operator", ["Conv", "MaxPool"])
def test_automatic_padding_counts_what_a_pad_before_added(operator: str, auto_pad: str) -> None:
    window = {"strides": [2, 2], "auto_pad": auto_pad, "kernel_shape": [3, 3]}
    operands = ["p", "w"] if operator == "Conv" else ["p"]
    fill = "zero" if operator == "Conv" else "low"
    nodes = [N("Pad", ["x", "pads", fill], ["p"]), N(operator, operands, ["y"], **window)]
    constants = {
        "pads": np.array([0, 0, 1, 0, 0, 0, 0, 0]),
        "zero": np.float32(0),
        "low": np.float32(-np.inf),
        "w": weights(3, 3, 3, 3),
    }
    compare(model(nodes, {"x": [1, 3, 7, 8]}, constants=constants))


def test_an_average_with_padding_of_two_kinds() -> None:
    nodes = [
        N("Pad", ["x", "pads"], ["p"]),
        N("AveragePool", ["p"], ["y"], kernel_shape=[3, 3], auto_pad="SAME_UPPER"),
    ]
    refused(
        model(nodes, {"x": [1, 3, 7, 8]}, constants={"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}), "pad in one place"
    )


@pytest.mark.parametrize("axes", [[1], [1, 2]])
def test_a_deviation_over_other_axes_is_no_layer_norm(axes: list[int]) -> None:
    nodes = [
        N("ReduceMean", ["x"], ["m"], axes=[-1]),
        N("Sub", ["x", "m"], ["c"]),
        N("Mul", ["c", "c"], ["q"]),
        N("ReduceMean", ["q"], ["v"], axes=axes),
        N("Add", ["v", "epsilon"], ["s"]),
        N("Sqrt", ["s"], ["r"]),
        N("Div", ["c", "r"], ["y"]),
    ]
    refused(model(nodes, {"x": [1, 5, 6]}, constants={"epsilon": np.float32(1e-5)}), "square root|reciprocal")


def test_a_mask_that_is_scaled_away_masks_nothing() -> None:
    """-10,000 scaled by 0.0001 is -1: those scores count."""
    mask = np.where(np.tri(4, dtype=bool), 0, -1e4).astype(np.float32)
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("Add", ["h", "mask"], ["m"]),
        N("Mul", ["m", "small"], ["s"]),
        N("Softmax", ["s"], ["p"]),
        N("MatMul", ["p", "w"], ["y"]),
    ]
    constants = {"w": weights(4, 4), "mask": mask, "small": np.float32(1e-4)}
    refused(model(nodes, {"x": [1, 4, 4]}, constants=constants), "scale them before the mask")


@pytest.mark.parametrize("axis", [1, -1])
def test_a_weight_with_more_axes_adds_them_to_the_product(axis: int) -> None:
    nodes = [
        N("MatMul", ["x", "w"], ["h"]),
        N("Softmax", ["h"], ["p"], axis=axis),
        N("MatMul", ["p", "v"], ["y"]),
    ]
    compare(model(nodes, {"x": [1, 6]}, constants={"w": weights(1, 6, 4), "v": weights(4, 3)}))
