"""Hostile and impossible input through HTTP, with the real parsing programs in their sandbox.

Each is a problem document that says what to do; nothing of it runs, and nothing of it is left.
"""

import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest

from tests.api.harness import Server, problem, serving

WEIGHTS = np.ones((4, 3), np.float32)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("real"), real=True) as running:
        yield running


class Payload:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.place}",)


def model(weights=None, name: str = "fc", operator: str = "MatMul", shape=(1, 4), extra=()) -> bytes:
    """An ONNX file of one matrix product, with one thing wrong."""
    helper = onnx.helper
    if weights is None:
        weights = onnx.numpy_helper.from_array(WEIGHTS, "w")
    inputs = ["x", "w"] if operator == "MatMul" else ["x"]
    node = helper.make_node(operator, inputs, ["y"], name=name)
    graph = helper.make_graph(
        [node, *extra],
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [weights],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return made.SerializeToString()


def tensor(dims: tuple[int, ...], external: str | None = None):
    made = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=dims)
    if external is None:
        made.raw_data = bytes(48)
    else:
        made.data_location = onnx.TensorProto.EXTERNAL
        made.external_data.add(key="location", value=external)
    return made


def files(home: Path) -> list[Path]:
    return sorted(p for p in home.rglob("*") if p.is_file() and "headrace.db" not in p.name)


def upload(server: Server, data: bytes, path: str = "/v1/models"):
    return server.http.post(path, files={"file": ("upload.onnx", data)})


def refused(server: Server, data: bytes, slug: str, path: str = "/v1/models") -> dict:
    before, running = files(server.home), set(psutil.Process().children(recursive=True))
    document = problem(upload(server, data, path), 422, slug)
    assert files(server.home) == before
    assert left_behind(running) == []
    return document


def left_behind(running: set[psutil.Process]) -> list[list[str]]:
    """Command lines of new processes under this one; the database server of other tests starts some of its own."""
    new = set(psutil.Process().children(recursive=True)) - running
    return [process.cmdline() for process in new if process.name() != "postgres"]


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_pickle_renamed_onnx(real: Server, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    document = refused(real, pickle.dumps(Payload(place)), "unsafe-model")
    assert "ONNX" in document["detail"] and not place.exists()


def test_archives_with_pickles(real: Server, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    payload = pickle.dumps(Payload(place))
    for members in ({"archive/data.pkl": payload}, {"code/__torch__.py": b"x", "data.pkl": payload}):
        document = upload(real, archive(members)).json()
        assert document["status"] == 422 and document["type"].split(":")[-1] in ("unsafe-model", "invalid-model")
        assert not place.exists()


def test_unsupported_operator_is_named(real: Server) -> None:
    document = refused(real, model(name="wave", operator="Sin"), "unsupported-model")
    assert [(e["node"], e["operator"]) for e in document["errors"]] == [("wave", "Sin")]
    assert document["errors"][0]["reason"]


@pytest.mark.parametrize("place", ["/etc/passwd", "../../../../etc/passwd", ""])
def test_external_data_is_never_read(real: Server, place: str) -> None:
    document = refused(real, model(tensor((4, 3), place)), "unsafe-model")
    assert "root:" not in str(document) and "one file" in document["detail"]


@pytest.mark.parametrize("dims", [(4, -3), (2**31, 2**33), (2**62, 2**62), (2**20, 2**20)])
def test_impossible_weight_shapes(real: Server, dims: tuple[int, ...]) -> None:
    assert "shape" in refused(real, model(tensor(dims)), "invalid-model")["detail"]


@pytest.mark.parametrize("shape", [(1, -4), (2**40, 4), (1, 0)])
def test_impossible_input_shapes(real: Server, shape: tuple[int, ...]) -> None:
    refused(real, model(shape=shape), "invalid-model")


@pytest.mark.parametrize("name", ['a;$system("id");', '`include "/etc/passwd"', "a\nb", "\\esc ", 'x"; rm -rf /'])
def test_names_that_would_be_code(real: Server, name: str) -> None:
    document = refused(real, model(name=name), "unsafe-model")
    assert "rename" in document["detail"] and document["errors"]


@pytest.mark.parametrize(
    "data", [b"\x08\x07" + bytes(range(256)), b"PK\x03\x04 broken", b"\x00" * 1000, b"#!/bin/sh\n"]
)
def test_files_that_are_no_model(real: Server, data: bytes) -> None:
    document = upload(real, data).json()
    assert document["status"] == 422 and document["type"].startswith("urn:headrace:problem:") and document["detail"]


def test_zip_bomb(real: Server) -> None:
    bomb = archive({"config.json": b"{}", "model.safetensors": bytes(200_000_000)})
    assert len(bomb) < 1_000_000
    document = upload(real, bomb).json()
    assert document["status"] == 422


def test_a_good_model_still_passes_afterwards(real: Server) -> None:
    answer = upload(real, model())
    assert answer.status_code == 201 and answer.json()["graph"]["operators"] == {"linear": 1}


@pytest.fixture
def good(real: Server) -> str:
    return upload(real, model()).json()["id"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"inputs": np.zeros((5, 4), np.float32), "targets": np.zeros(6, np.int64)},
        {"targets": np.zeros(6, np.int64)},
        {"inputs": np.zeros((0, 4), np.float32), "targets": np.zeros(0, np.int64)},
        {"inputs": np.array([{"a": 1}], dtype=object), "targets": np.zeros(1)},
        {"inputs": np.full((2, 4), np.nan, np.float32), "targets": np.zeros(2, np.int64)},
    ],
    ids=["lengths", "no-inputs", "empty", "pickled", "nan"],
)
def test_datasets_that_are_refused(real: Server, arrays: dict) -> None:
    refused(real, npz(**arrays), "invalid-dataset", "/v1/datasets")


def test_dataset_that_is_no_archive(real: Server, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    refused(real, pickle.dumps(Payload(place)), "invalid-dataset", "/v1/datasets")
    refused(real, archive({"inputs.npy": pickle.dumps(Payload(place))}), "invalid-dataset", "/v1/datasets")
    assert not place.exists()


def test_dataset_of_the_wrong_shape(real: Server, good: str) -> None:
    data = npz(inputs=np.zeros((5, 7), np.float32), targets=np.zeros(5, np.int64))
    dataset = upload(real, data, "/v1/datasets").json()["id"]
    answer = real.http.post("/v1/jobs", json={"model": good, "dataset": dataset})
    document = answer.json()
    assert answer.status_code == 422 and "7" in str(document) and document["errors"][0]["pointer"] == "/dataset"


@pytest.mark.parametrize(
    "body",
    [
        {"constraints": [{"metric": "est_lut", "max": 1}]},
        {"constraints": [{"metric": "accuracy", "min": 1.5}]},
        {"constraints": [{"metric": "devices_used", "min": 2}], "platform": {"devices": [{"device": "u250"}]}},
        {"platform": {"devices": [{"device": "no-such-part"}]}},
    ],
    ids=["no-lut", "accuracy-above-one", "more-devices-than-given", "unknown-device"],
)
def test_jobs_that_no_candidate_satisfies(real: Server, good: str, body: dict) -> None:
    answer = real.http.post("/v1/jobs", json={"model": good, **body})
    document = answer.json()
    assert answer.status_code == 422 and document["detail"] and document["errors"], document
    assert real.http.get("/v1/jobs").json()["items"] == []
