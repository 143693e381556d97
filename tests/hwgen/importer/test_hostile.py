"""Files from outside that are broken or meant to harm: refused quickly and in clear words, nothing else read or run."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.importer.inspect import inspect
from hwgen.importer.load import import_bytes
from hwgen.ir import Graph
from tests.hwgen.importer.support import N, model, weights


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


def _refused(data: bytes, kind: str, *words: str, seconds: float = 5.0) -> ModelError:
    started = time.process_time()
    with pytest.raises(ModelError) as caught:
        import_bytes(data)
    assert time.process_time() - started < seconds
    assert caught.value.kind == kind
    for word in words:
        assert word in caught.value.detail
    return caught.value


def _linear(name: str = "fc") -> onnx.ModelProto:
    return model([N("MatMul", ["x", "w"], ["y"], name=name)], {"x": [1, 4]}, constants={"w": weights(4, 3)})


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_renamed_onnx_is_never_opened(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "owned"
    _refused(pickle.dumps(_Evil(target), protocol=protocol), "unsafe-model", "pickle", "ONNX")
    assert not target.exists()


def test_torch_checkpoint_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "owned"
    data = _zip({"model/data.pkl": pickle.dumps(_Evil(target)), "model/version": b"3"})
    _refused(data, "unsafe-model", "pickled")
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
        (b"\x1c\0\0\0TFL3" + b"\0" * 50, "TensorFlow Lite"),
        (os.urandom(4096), "ONNX"),
    ],
)
def test_other_files(data: bytes, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        import_bytes(data)


def test_truncated_model() -> None:
    data = _linear().SerializeToString()
    for cut in range(1, len(data), 7):
        with pytest.raises(ModelError):
            import_bytes(data[:cut])


def test_flipped_bytes_never_crash() -> None:
    data = bytearray(_linear().SerializeToString())
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for position in rng.integers(0, len(data), 3):
            broken[position] = rng.integers(0, 256)
        with contextlib.suppress(ModelError):
            import_bytes(bytes(broken))


def test_pickle_bytes_behind_a_valid_model_are_not_read(tmp_path: Path) -> None:
    target = tmp_path / "owned"
    archive = _zip({"model/data.pkl": pickle.dumps(_Evil(target))})
    _refused(_linear().SerializeToString() + archive, "unsafe-model", "zip")
    assert not target.exists()


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../../etc/passwd", "weights.bin", "", "/dev/zero", "dir/../../x", "a\0b"]
)
def test_external_data_is_never_read(location: str) -> None:
    proto = _linear()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    _refused(proto.SerializeToString(), "unsafe-model", "external data", "one file")


def test_external_data_in_an_attribute_is_never_read() -> None:
    tensor = numpy_helper.from_array(weights(4, 3), "v")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    nodes = [N("Constant", [], ["w"], value=tensor), N("MatMul", ["x", "w"], ["y"])]
    _refused(model(nodes, {"x": [1, 4]}).SerializeToString(), "unsafe-model", "external data")


@pytest.mark.parametrize("dims", [[2**31, 2**31], [-1, 4], [4, -3], [2**62, 4], [2**40], [1] * 9, [5, 5]])
def test_impossible_tensor_dimensions(dims: list[int]) -> None:
    proto = _linear()
    del proto.graph.initializer[0].dims[:]
    proto.graph.initializer[0].dims.extend(dims)
    _refused(proto.SerializeToString(), "invalid-model", "'w'", "shape")


@pytest.mark.parametrize("size", [0, -4, 2**62])
def test_impossible_input_dimensions(size: int) -> None:
    _refused(model([N("Relu", ["x"], ["y"])], {"x": [1, size]}).SerializeToString(), "invalid-model", "'x'")


def test_overflowing_product_of_input_dimensions() -> None:
    proto = model([N("Relu", ["x"], ["y"])], {"x": [1, 2**20, 2**20, 2**20]})
    _refused(proto.SerializeToString(), "invalid-model", "too large")


@pytest.mark.parametrize(
    ("node", "constants"),
    [
        (N("ConstantOfShape", ["s"], ["c"]), {"s": np.array([2**31, 2**31])}),
        (N("ConstantOfShape", ["s"], ["c"]), {"s": np.array([-1, 2])}),
        (N("Expand", ["one", "s"], ["c"]), {"one": np.ones(1, np.float32), "s": np.array([2**40])}),
        (N("Tile", ["one", "s"], ["c"]), {"one": np.ones(1, np.float32), "s": np.array([2**40])}),
        (N("Range", ["a", "b", "d"], ["c"]), {"a": np.array(0), "b": np.array(2**50), "d": np.array(1)}),
        (N("Range", ["a", "b", "d"], ["c"]), {"a": np.array(0), "b": np.array(5), "d": np.array(0)}),
    ],
)
def test_small_files_cannot_unfold(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> None:
    proto = model([node, N("Add", ["x", "c"], ["y"])], {"x": [1, 4]}, constants=constants)
    _refused(proto.SerializeToString(), "unsupported-model")


def test_doubling_constants_are_stopped() -> None:
    nodes = [N("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], axis=0) for i in range(40)]
    nodes.append(N("Add", ["x", "c40"], ["y"]))
    proto = model(nodes, {"x": [1, 4]}, constants={"c0": np.ones(1 << 20, np.float32)})
    with pytest.raises(ModelError):
        import_bytes(proto.SerializeToString())


def test_nan_weights() -> None:
    w = weights(4, 3)
    w[1, 1] = np.nan
    proto = model([N("MatMul", ["x", "w"], ["y"])], {"x": [1, 4]}, constants={"w": w})
    _refused(proto.SerializeToString(), "invalid-model", "NaN", "'w'")


def test_infinite_weights() -> None:
    w = weights(4, 3)
    w[1, 1] = np.inf
    proto = model([N("MatMul", ["x", "w"], ["y"])], {"x": [1, 4]}, constants={"w": w})
    _refused(proto.SerializeToString(), "invalid-model", "finite")


def test_nan_attribute() -> None:
    proto = model([N("LeakyRelu", ["x"], ["y"], alpha=float("nan"))], {"x": [1, 4]})
    _refused(proto.SerializeToString(), "invalid-model", "finite")


def test_cycle() -> None:
    nodes = [N("Add", ["x", "b"], ["a"]), N("Relu", ["a"], ["b"]), N("Relu", ["b"], ["y"])]
    _refused(model(nodes, {"x": [1, 4]}).SerializeToString(), "invalid-model", "cycle")


def test_nodes_out_of_order_are_sorted() -> None:
    nodes = [N("Relu", ["h"], ["y"]), N("MatMul", ["x", "w"], ["h"])]
    proto = model(nodes, {"x": [1, 4]}, constants={"w": weights(4, 3)})
    assert len(import_bytes(proto.SerializeToString()).graph.nodes) == 3


@pytest.mark.parametrize("twice", ["output", "initializer"])
def test_names_defined_twice(twice: str) -> None:
    proto = model([N("Relu", ["x"], ["y"]), N("Tanh", ["x"], ["y"])], {"x": [1, 4]})
    if twice == "initializer":
        proto = _linear()
        proto.graph.initializer.append(proto.graph.initializer[0])
    _refused(proto.SerializeToString(), "invalid-model", "export")


def test_missing_initializer() -> None:
    proto = _linear()
    del proto.graph.initializer[:]
    _refused(proto.SerializeToString(), "invalid-model", "'w'", "nothing defines")


@pytest.mark.parametrize("opset", [0, 7, 999, 2**40])
def test_opsets_out_of_range(opset: int) -> None:
    proto = _linear()
    proto.opset_import[0].version = opset
    _refused(proto.SerializeToString(), "invalid-model", "opset", "8")


def test_huge_number_of_nodes() -> None:
    proto = onnx.ModelProto()
    proto.CopyFrom(_linear())
    node = proto.graph.node[0]
    proto.graph.node.extend([node] * 100_000)
    _refused(proto.SerializeToString(), "invalid-model", "nodes", seconds=20)


def test_long_chains_import_in_time() -> None:
    nodes = [N("Tanh", [f"t{i}"], [f"t{i + 1}"]) for i in range(1500)]
    proto = model([*nodes, N("Relu", ["t1500"], ["y"])], {"t0": [1, 4]})
    started = time.process_time()
    graph = import_bytes(proto.SerializeToString()).graph
    assert time.process_time() - started < 20
    assert len(graph.nodes) == 1502


def test_long_chains_of_slices_import_in_time() -> None:
    constants = {"a": np.array([0]), "b": np.array([1 << 40]), "w": weights(5, 3)}
    nodes = [N("Slice", [f"t{i}", "one", "b", "one"], [f"t{i + 1}"]) for i in range(1500)]
    nodes.append(N("Gather", ["w", "t1500"], ["y"]))
    proto = model(nodes, {"t0": [1, 1510]}, constants=constants | {"one": np.array([1])}, integer=["t0"])
    started = time.process_time()
    assert import_bytes(proto.SerializeToString()).graph.inputs[0].integer
    assert time.process_time() - started < 20


def test_long_chains_of_constants_import_in_time() -> None:
    nodes = [N("Mul" if i % 2 else "Add", [f"t{i}", "c"], [f"t{i + 1}"]) for i in range(2000)]
    constants = {"c": np.array([1.0, 1.001, 0.999, 1.0], dtype=np.float32), "w": weights(4, 3)}
    proto = model([*nodes, N("MatMul", ["t2000", "w"], ["y"])], {"t0": [1, 4]}, constants=constants)
    started = time.process_time()
    import_bytes(proto.SerializeToString())
    assert time.process_time() - started < 20


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    size, length = len(payload), b""
    while size >= 128:
        length += bytes([size % 128 + 128])
        size //= 128
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


@pytest.mark.parametrize("depth", [5, 100, 10_000])
def test_deeply_nested_subgraphs(depth: int) -> None:
    graph = _field(1, _field(4, b"Relu"))
    for _ in range(depth):  # graph.node[0].attribute[0].g
        graph = _field(1, _field(4, b"If") + _field(5, _field(1, b"then_branch") + _field(6, graph) + b"\xa0\x01\x05"))
    with pytest.raises(ModelError):
        import_bytes(_field(7, graph) + _field(8, b"\x10\x11"))


def test_functions_and_foreign_domains() -> None:
    proto = model([N("Gadget", ["x"], ["y"], domain="com.evil", name="g")], {"x": [1, 4]})
    proto.opset_import.append(helper.make_opsetid("com.evil", 1))
    error = _refused(proto.SerializeToString(), "unsupported-model", "com.evil.Gadget")
    assert error.issues[0].operator == "com.evil.Gadget"


@pytest.mark.parametrize(
    "name", ['a;$system("id");', '`include "/etc/passwd"', "\\esc ", "new\nline", '"; rm -rf', "\x1b]0;title\x07"]
)
def test_node_names_that_would_be_code_are_refused(name: str) -> None:
    error = _refused(_linear(name).SerializeToString(), "unsafe-model", "rename")
    assert error.issues[0].operator == "MatMul"
    assert error.issues[0].node.isprintable()


@pytest.mark.parametrize(
    "node_name",
    ["endmodule", "x" * 10_000, "\N{SNOWMAN}\N{PILE OF POO}", "../../x", "%s%n", "{{7*7}}", "<img onerror>"],
)
@pytest.mark.parametrize("tensor_name", ['a;$system("id");', "new\nline", "x" * 10_000, "../../x", "\x1b]0;title\x07"])
def test_names_stay_data(node_name: str, tensor_name: str, tmp_path: Path) -> None:
    proto = _renamed(_linear(node_name), tensor_name)
    file = tmp_path / "m.onnx"
    file.write_bytes(proto.SerializeToString())
    described = inspect(file, tmp_path / "g.npz")
    assert described["ok"]
    graph = Graph.load(tmp_path / "g.npz")
    assert [n.name for n in graph.nodes] == ["input1", "linear1"]
    for text in (*(n.source for n in graph.nodes), graph.inputs[0].source, graph.outputs[0].source):
        assert len(text) <= 120
        assert text.isprintable()


def _renamed(proto: onnx.ModelProto, suffix: str) -> onnx.ModelProto:
    """The model with something behind the name of each tensor."""
    for value in (proto.graph.input[0], proto.graph.output[0], proto.graph.initializer[0]):
        old, value.name = value.name, value.name + suffix
        for node in proto.graph.node:
            for names in (node.input, node.output):
                renamed = [value.name if n == old else n for n in names]
                del names[:]
                names.extend(renamed)
    return proto


def test_every_offending_node_is_named() -> None:
    nodes = [
        N("Relu", ["x"], ["a"], name="fine"),
        N("LSTM", ["a", "w", "w"], ["b"], name="recurrent"),
        N("Relu", ["b"], ["c"], name="behind"),
        N("NonMaxSuppression", ["c", "c"], ["d"], name="boxes"),
        N("Sqrt", ["x"], ["e"], name="root"),
        N("Add", ["d", "e"], ["y"], name="sum"),
    ]
    proto = model(nodes, {"x": [1, 4]}, constants={"w": weights(4, 4)})
    error = _refused(proto.SerializeToString(), "unsupported-model", "recurrent")
    assert {(i.node, i.operator) for i in error.issues} >= {("recurrent", "LSTM"), ("boxes", "NonMaxSuppression")}
    assert all(len(i.reason) > 20 for i in error.issues)


@pytest.mark.parametrize(
    ("shape", "word"),
    [([32, 1, 8, 8], "batch size 32"), (["n", 3, "h", "w"], "dynamic axis"), (["n", "t"], "dynamic axis")],
)
def test_batches_and_dynamic_axes(shape: list[int | str], word: str) -> None:
    _refused(model([N("Relu", ["x"], ["y"])], {"x": shape}).SerializeToString(), "invalid-model", word, "export")


def test_a_model_without_operators() -> None:
    _refused(model([N("Identity", ["x"], ["y"])], {"x": [1, 4]}).SerializeToString(), "invalid-model", "no operator")


# archives ---------------------------------------------------------------------------------------------------------


def _raw_zip(name: bytes, announced: int, data: bytes, offset: int = 0) -> bytes:
    """A stored member whose directory says something else."""
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, len(data), announced, len(name), 0) + name + data
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, len(data), announced, len(name), 0, 0, 0, 0, 0, offset
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry) + len(name), len(local), 0)
    return local + entry + name + end


def _many_members() -> bytes:
    return _zip({f"m{i}": b"" for i in range(5000)})


def _overlap() -> bytes:
    data = _zip({"a/config.json": b"x" * 100, "b": b"y" * 100})
    directory = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    broken = bytearray(data)
    broken[directory + 42 : directory + 46] = struct.pack("<L", 0)
    return bytes(broken)


def _link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("model/config.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: _zip({"a/archive_format": b"pt2", "bomb": b"\0" * (1 << 26)}), "unfolds"),
        (_many_members, "members"),
        (_overlap, "overlap"),
        (lambda: _zip({"../../etc/cron.d/x": b"x"}), "unsafe name"),
        (lambda: _zip({"/etc/passwd": b"x"}), "unsafe name"),
        (lambda: _zip({"C:/x": b"x"}), "unsafe name"),
        (_link, "link"),
        (lambda: _raw_zip(b"config.json", 1 << 31, b"{}"), "unfolds"),
        (lambda: _zip({"m/code/__torch__.py": b"x", "m/constants.pkl": b"x"}), "TorchScript"),
        (lambda: b"#!/bin/sh\n" + _zip({"config.json": b"{}"}), "before it"),
    ],
)
def test_unsafe_archives(make: Callable[[], bytes], word: str) -> None:
    _refused(make(), "unsafe-model", word)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: _zip({"a/archive_format": b"pt2"})[:60], "damaged"),
        (lambda: _zip({"photo.jpg": b"x"}), "neither"),
    ],
)
def test_useless_archives(make: Callable[[], bytes], word: str) -> None:
    _refused(make(), "invalid-model", word)


def test_hugging_face_folders_are_told_what_to_do() -> None:
    data = _zip({"model/config.json": b"{}", "model/model.safetensors": b"x"})
    _refused(data, "unsupported-model", "ONNX", "torch.onnx.export")


@pytest.mark.parametrize(
    "members",
    [
        {"m/data/weights/w.pt": b"\x80\x02."},
        {"m/data/aotinductor/model/x.so": b"\x7fELF"},
        {"m/data/constants/custom_obj_0": b"x"},
        {"m/data/constants/opaque_obj_0": b"x"},
        {"m/serialized_state_dict.pt": b"x"},
        {"m/extra/x": b"x"},
        {"m/models/model.json": json.dumps({"config": {"w": {"use_pickle": True}}}).encode()},
        {"m/models/model.json": json.dumps({"nodes": [{"target": "torch.hub.load", "inputs": []}]}).encode()},
        {"m/models/model.json": json.dumps({"as_expr": {"expr_str": "__import__('os').system('id')"}}).encode()},
        {"m/data/constants/model_constants_config.json": json.dumps({"custom_objs": {"a": 1}}).encode()},
    ],
)
def test_torch_export_archives_that_could_run_code(members: dict[str, bytes]) -> None:
    _refused(_zip({"m/archive_format": b"pt2", **members}), "unsafe-model", "ONNX")


# the command ------------------------------------------------------------------------------------------------------


def test_command_describes_models_and_refusals(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.bin", tmp_path / "bad.onnx"
    good.write_bytes(_linear().SerializeToString())
    bad.write_bytes(pickle.dumps([1]))
    answers = []
    for file in (good, bad):
        command = [sys.executable, "-m", "hwgen.importer.inspect", str(file), str(tmp_path / "g.npz")]
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
