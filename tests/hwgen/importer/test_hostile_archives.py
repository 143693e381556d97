"""Zip archives from outside, torch.export ones among them: judged by their directory before anything is read."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable

import pytest

from tests.hwgen.importer.hostile import refused, zipped


def _raw_zip(name: bytes, announced: int, data: bytes, offset: int = 0) -> bytes:
    """A stored member whose directory says something else."""
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, len(data), announced, len(name), 0) + name + data
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, len(data), announced, len(name), 0, 0, 0, 0, 0, offset
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry) + len(name), len(local), 0)
    return local + entry + name + end


def _many_members() -> bytes:
    return zipped({f"m{i}": b"" for i in range(5000)})


def _overlap() -> bytes:
    data = zipped({"a/config.json": b"x" * 100, "b": b"y" * 100})
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
        (lambda: zipped({"a/archive_format": b"pt2", "bomb": b"\0" * (1 << 26)}), "unfolds"),
        (_many_members, "members"),
        (_overlap, "overlap"),
        (lambda: zipped({"../../etc/cron.d/x": b"x"}), "unsafe name"),
        (lambda: zipped({"/etc/passwd": b"x"}), "unsafe name"),
        (lambda: zipped({"C:/x": b"x"}), "unsafe name"),
        (_link, "link"),
        (lambda: _raw_zip(b"config.json", 1 << 31, b"{}"), "unfolds"),
        (lambda: zipped({"m/code/__torch__.py": b"x", "m/constants.pkl": b"x"}), "TorchScript"),
        (lambda: b"#!/bin/sh\n" + zipped({"config.json": b"{}"}), "before it"),
    ],
)
def test_unsafe_archives(make: Callable[[], bytes], word: str) -> None:
    refused(make(), "unsafe-model", word)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: zipped({"a/archive_format": b"pt2"})[:60], "damaged"),
        (lambda: zipped({"photo.jpg": b"x"}), "neither"),
    ],
)
def test_useless_archives(make: Callable[[], bytes], word: str) -> None:
    refused(make(), "invalid-model", word)


def test_hugging_face_folders_are_told_what_to_do() -> None:
    data = zipped({"model/config.json": b"{}", "model/model.safetensors": b"x"})
    refused(data, "unsupported-model", "ONNX", "torch.onnx.export")


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
    refused(zipped({"m/archive_format": b"pt2", **members}), "unsafe-model", "ONNX")
