"""Files meant to harm, and what refusing one means: a clear error, soon."""

from __future__ import annotations

import io
import time
import zipfile

import onnx
import pytest

from hwgen.errors import ModelError
from hwgen.model.load import import_bytes
from tests.hwgen.importer.support import N, model, weights


def refused(data: bytes, kind: str, *words: str, seconds: float = 5.0) -> ModelError:
    started = time.process_time()
    with pytest.raises(ModelError) as caught:
        import_bytes(data)
    assert time.process_time() - started < seconds
    assert caught.value.kind == kind
    for word in words:
        assert word in caught.value.detail
    return caught.value


def linear(name: str = "fc") -> onnx.ModelProto:
    return model([N("MatMul", ["x", "w"], ["y"], name=name)], {"x": [1, 4]}, constants={"w": weights(4, 3)})


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()
