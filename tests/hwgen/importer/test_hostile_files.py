"""Files that are no ONNX model, or carry more than one: refused by their content, nothing in them run."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from hwgen.errors import ModelError
from hwgen.model.load import import_bytes
from tests.hwgen.importer.hostile import linear, refused, zipped
from tests.hwgen.importer.support import N, model, weights


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_renamed_onnx_is_never_opened(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "owned"
    refused(pickle.dumps(_Evil(target), protocol=protocol), "unsafe-model", "pickle", "ONNX")
    assert not target.exists()


def test_torch_checkpoint_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "owned"
    data = zipped({"model/data.pkl": pickle.dumps(_Evil(target)), "model/version": b"3"})
    refused(data, "unsafe-model", "pickled")
    assert not target.exists()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"\0" * 100, "no ONNX model"),
        (b"hello world, this is not a model", "no ONNX model"),
        (b'{"a": 1}', "text"),
        (b"<html>", "text"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "HDF5"),
        ((11).to_bytes(8, "little") + b'{"w":"F32"}' + b"\0" * 16, "safetensors: weights without the model"),
        (b"\x1c\0\0\0TFL3" + b"\0" * 50, "TensorFlow Lite"),
        (os.urandom(4096), "ONNX"),
    ],
)
def test_other_files(data: bytes, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        import_bytes(data)


def test_truncated_model() -> None:
    data = linear().SerializeToString()
    for cut in range(1, len(data), 7):
        with pytest.raises(ModelError):
            import_bytes(data[:cut])


def test_flipped_bytes_never_crash() -> None:
    data = bytearray(linear().SerializeToString())
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for position in rng.integers(0, len(data), 3):
            broken[position] = rng.integers(0, 256)
        with contextlib.suppress(ModelError):
            import_bytes(bytes(broken))


def test_pickle_bytes_behind_a_valid_model_are_not_read(tmp_path: Path) -> None:
    target = tmp_path / "owned"
    archive = zipped({"model/data.pkl": pickle.dumps(_Evil(target))})
    refused(linear().SerializeToString() + archive, "unsafe-model", "zip")
    assert not target.exists()


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../../etc/passwd", "weights.bin", "", "/dev/zero", "dir/../../x", "a\0b"]
)
def test_external_data_is_never_read(location: str) -> None:
    proto = linear()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    refused(proto.SerializeToString(), "unsafe-model", "external data", "one file")


def test_external_data_in_an_attribute_is_never_read() -> None:
    tensor = numpy_helper.from_array(weights(4, 3), "v")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    nodes = [N("Constant", [], ["w"], value=tensor), N("MatMul", ["x", "w"], ["y"])]
    refused(model(nodes, {"x": [1, 4]}).SerializeToString(), "unsafe-model", "external data")


def test_command_describes_models_and_refusals(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.bin", tmp_path / "bad.onnx"
    good.write_bytes(linear().SerializeToString())
    bad.write_bytes(pickle.dumps([1]))
    answers = []
    for file in (good, bad):
        command = [sys.executable, "-m", "hwgen.model.inspect", str(file), str(tmp_path / "g")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        answers.append(json.loads(done.stdout))
    assert answers[0]["format"] == "onnx"
    assert answers[0]["graph"] == {
        "parameters": 12,
        "macs_per_inference": 12,
        "inputs": [{"name": "x", "shape": [4], "type": "float32"}],
        "outputs": [{"name": "y", "shape": [3], "type": "float32"}],
        "operators": {"linear": 1},
    }
    assert answers[1]["ok"] is False
    assert answers[1]["type"] == "unsafe-model"
