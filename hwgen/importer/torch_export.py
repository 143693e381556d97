"""``torch.export`` archives (.pt2) to ONNX bytes: judged as a zip and as JSON first, opened by torch only then."""

from __future__ import annotations

import io
import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

from hwgen.errors import ModelError
from hwgen.importer.archive import Archive
from hwgen.importer.source import shown

_MAX_JSON_BYTES = 1 << 26


def to_onnx(archive: Archive, data: bytes) -> bytes:
    """Convert an exported program to ONNX.

    Raises:
        ModelError: ``unsafe-model`` where reading the archive could run code, ``invalid-model`` where torch cannot
            read or convert it.
    """
    _scan(archive)
    import torch

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = torch.export.load(io.BytesIO(data))
            exported = torch.onnx.export(program, dynamo=True, verbose=False)
        except Exception as error:  # torch's own loaders and converters raise anything; this is the border
            raise ModelError(
                f"torch could not read or convert the exported program ({type(error).__name__}: {shown(str(error))}); "
                "export the model to ONNX yourself with torch.onnx.export and upload that"
            ) from error
    if exported is None:
        raise ModelError("torch made no ONNX model of the exported program; export it to ONNX yourself")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        exported.save(path, external_data=False)
        return path.read_bytes()


def _scan(archive: Archive) -> None:
    """Refuse everything in the archive that torch would unpickle or run."""
    for name in archive.names:
        bare = name.split("/", 1)[-1]
        if bare.endswith((".pkl", ".pickle", ".so", ".py", ".cpp", ".dll", ".dylib", ".cubin")) or bare.startswith(
            "data/aotinductor"
        ):
            raise ModelError(
                f"the archive contains {shown(name)!r}, which can run code; save it with torch.export.save only",
                "unsafe-model",
            )
        if bare.startswith("data/sample_inputs/") or bare.endswith((".pt", ".pth")):
            _refuse_pickle(name, archive.read(name))
        if bare.endswith(".json"):
            _scan_json(name, archive.read(name))


def _refuse_pickle(name: str, data: bytes) -> None:
    """Sample inputs are stored as a checkpoint, which torch unpickles; only an absent or empty one is safe."""
    if data:
        raise ModelError(
            f"the archive contains the pickled member {shown(name)!r}, which is never opened; save the program without "
            "sample inputs (program.example_inputs = None before torch.export.save), or upload ONNX",
            kind="unsafe-model",
        )


def _scan_json(name: str, data: bytes) -> None:
    if len(data) > _MAX_JSON_BYTES:
        raise ModelError(f"the member {shown(name)!r} is too large")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"the member {shown(name)!r} of the archive is no JSON; save it again with torch.export.save"
        ) from error
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("use_pickle") or any("custom_obj" in str(k) and v for k, v in item.items()):
                raise ModelError(
                    f"{shown(name)!r} asks for pickled weights or custom objects, which can run code; save tensors",
                    kind="unsafe-model",
                )
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
