"""Open axes closed and inputs turned to constants when a file is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import hwgen


def two_inputs(folder: Path) -> Path:
    """``y = (x + mask) @ w`` with an open axis in ``x`` and ``mask``."""
    weight = np.arange(12, dtype=np.float32).reshape(4, 3) / 12
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "mask"], ["s"]), helper.make_node("MatMul", ["s", "w"], ["y"])],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "tokens", 4]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, "tokens", 4]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "tokens", 3])],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), folder / "two.onnx")
    return folder / "two.onnx"


def test_open_axes_and_inputs_can_be_fixed(tmp_path: Path) -> None:
    path = two_inputs(tmp_path)
    x, mask = np.random.default_rng(0).normal(size=(2, 1, 5, 4)).astype(np.float32)
    model = hwgen.load(path, shapes={"x": (1, 5, 4)}, freeze={"mask": mask})
    assert model.inputs == {"x": (5, 4)}
    (expected,) = onnxruntime.InferenceSession(path).run(None, {"x": x, "mask": mask})
    np.testing.assert_allclose(model.evaluate({"x": x})["y"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("ones", np.ones((1, 5, 4))),
        ("zeros", np.zeros((1, 5, 4))),
        ("arange", np.tile(np.arange(4.0), (1, 5, 1))),
        (0.5, np.full((1, 5, 4), 0.5)),
        (np.arange(20.0).reshape(1, 5, 4).tolist(), np.arange(20.0).reshape(1, 5, 4)),
    ],
)
def test_values_have_names(value: object, meant: np.ndarray, tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(1, 5, 4)).astype(np.float32)
    shapes = {"x": (1, 5, 4), "mask": (1, 5, 4)}
    found, expected = (
        hwgen.load(two_inputs(tmp_path), shapes, {"mask": mask}).evaluate({"x": x})["y"] for mask in (value, meant)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("shapes", "freeze", "message"),
    [
        ({"z": (1, 5, 4)}, {}, "no input 'z'; it has x, mask"),
        ({"x": (1, 5, 3)}, {}, r"is \(1, \?, 4\), which \(1, 5, 3\) does not fit"),
        ({"x": (5, 4)}, {}, "does not fit"),
        ({"x": (1, 0, 4)}, {}, "does not fit"),
        ({}, {"mask": np.zeros((5, 4))}, "a value of"),
        ({}, {"mask": np.zeros((1, 5, 4)), "x": np.zeros((1, 5, 4))}, "every input is frozen"),
        ({}, {"mask": "ones"}, r"is \(1, \?, 4\): say its shape too"),
        ({}, {"mask": "twos"}, "one of ones, zeros, arange"),
        ({}, {"mask": [[[0, 0, 0, 0], [0]]]}, "rows differ in length"),
        ({}, {"mask": [[["a", "b", "c", "d"]]]}, "something else than numbers"),
    ],
)
def test_what_contradicts_the_file_is_refused(
    shapes: dict[str, tuple[int, ...]], freeze: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        hwgen.load(two_inputs(tmp_path), shapes, freeze)
