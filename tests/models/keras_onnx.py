"""Keras HDF5 models to ONNX the way converters do it: channels-last input, a Transpose around every image operator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def convert(path: Path) -> onnx.ModelProto:
    """Convert a functional Keras 2 model of the layers that MLPerf Tiny uses."""
    return _Converter(path).model()


class _Converter:
    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "r")
        self._layers = json.loads(self._file.attrs["model_config"])["config"]["layers"]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        shape = self._layers[0]["config"]["batch_input_shape"]
        for layer in self._layers[1:]:
            inputs = [i[0] for i in layer["inbound_nodes"][0]]
            getattr(self, f"_{layer['class_name'].lower()}")(layer["config"], inputs)
        first, last = self._layers[0]["config"]["name"], self._layers[-1]["config"]["name"]
        graph = helper.make_graph(
            self._nodes,
            "keras",
            [helper.make_tensor_value_info(first, TensorProto.FLOAT, ["batch", *shape[1:]])],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)

    def _weights(self, layer: str) -> list[np.ndarray]:
        group = self._file["model_weights"][layer]
        return [np.array(group[name]) for name in group.attrs["weight_names"]]

    def _constant(self, name: str, value: np.ndarray) -> str:
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def _add_node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _image(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        """An operator on channels-first images between two transpositions."""
        source = self._add_node("Transpose", inputs[:1], f"{output}/first", perm=[0, 3, 1, 2])
        made = self._add_node(operator, [source, *inputs[1:]], f"{output}/image", **attributes)
        self._add_node("Transpose", [made], output, perm=[0, 2, 3, 1])

    def _conv2d(self, config: dict[str, Any], inputs: list[str]) -> None:
        kernel, bias = self._weights(config["name"])
        self._conv(config, inputs, kernel.transpose(3, 2, 0, 1), bias, 1)

    def _depthwiseconv2d(self, config: dict[str, Any], inputs: list[str]) -> None:
        kernel, bias = self._weights(config["name"])
        self._conv(config, inputs, kernel.transpose(2, 3, 0, 1), bias, kernel.shape[2])

    def _conv(
        self, config: dict[str, Any], inputs: list[str], kernel: np.ndarray, bias: np.ndarray, group: int
    ) -> None:
        name = config["name"]
        operands = [inputs[0], self._constant(f"{name}/kernel", kernel), self._constant(f"{name}/bias", bias)]
        pad = "SAME_UPPER" if config["padding"] == "same" else "VALID"
        self._image("Conv", operands, name, strides=config["strides"], auto_pad=pad, group=group)

    def _batchnormalization(self, config: dict[str, Any], inputs: list[str]) -> None:
        names = ("gamma", "beta", "mean", "variance")
        operands = [
            self._constant(f"{config['name']}/{n}", w)
            for n, w in zip(names, self._weights(config["name"]), strict=True)
        ]
        self._image("BatchNormalization", [inputs[0], *operands], config["name"], epsilon=config["epsilon"])

    def _averagepooling2d(self, config: dict[str, Any], inputs: list[str]) -> None:
        self._image("AveragePool", inputs, config["name"], kernel_shape=config["pool_size"], strides=config["strides"])

    def _activation(self, config: dict[str, Any], inputs: list[str]) -> None:
        self._add_node({"relu": "Relu", "softmax": "Softmax"}[config["activation"]], inputs, config["name"])

    def _add(self, config: dict[str, Any], inputs: list[str]) -> None:
        self._add_node("Add", inputs, config["name"])

    def _dropout(self, config: dict[str, Any], inputs: list[str]) -> None:
        self._add_node("Identity", inputs, config["name"])

    def _flatten(self, config: dict[str, Any], inputs: list[str]) -> None:
        self._add_node("Flatten", inputs, config["name"])

    def _dense(self, config: dict[str, Any], inputs: list[str]) -> None:
        name = config["name"]
        kernel, bias = self._weights(name)
        product = self._add_node("MatMul", [inputs[0], self._constant(f"{name}/kernel", kernel)], f"{name}/product")
        total = self._add_node("Add", [product, self._constant(f"{name}/bias", bias)], f"{name}/sum")
        self._activation({"activation": config["activation"], "name": name}, [total])
