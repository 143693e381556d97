"""``torch.export`` archives (.pt2) to ONNX bytes: judged as a zip and as JSON first, opened by torch only then.

torch's loader unpickles sample inputs and flagged weights, evaluates symbolic expressions and looks operators up by
dotted name. So torch never sees the upload: it gets a new archive of the members on a list, with sample inputs left
out, after the JSON was found to name plain tensors and ``aten`` operators only.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import re
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

from hwgen.errors import ModelError
from hwgen.model.archive import Archive
from hwgen.model.onnx.source import shown

_MAX_JSON_BYTES = 1 << 26
_SAMPLE_INPUTS = "data/sample_inputs/model.pt"
_KEPT = re.compile(
    r"data/weights/weight_\d+|data/constants/tensor_\d+|data/(weights|constants)/model_(weights|constants)_config\.json"
    r"|models/model\.json|archive_format|archive_version|byteorder|\.data/(version|serialization_id)"
)
_OPERATOR = re.compile(r"torch\.ops\.aten\.[a-z0-9_]+\.[A-Za-z0-9_]+|_operator\.getitem")
_ADVICE = "upload the ONNX file that torch.onnx.export writes instead"
_INSTALL = "install it where uploads are parsed: pip install torch onnxscript"


def to_onnx(archive: Archive) -> bytes:
    """Convert an exported program to ONNX.

    Raises:
        ModelError: ``unsafe-model`` where reading the archive could run code, ``invalid-model`` where torch cannot
            read or convert it.
    """
    clean = _clean_archive(archive)
    if importlib.util.find_spec("torch") is None:
        raise ModelError(f"this machine has no torch, which opens torch.export archives; {_ADVICE}, or {_INSTALL}")
    import torch

    logging.disable(logging.WARNING)  # standard output and error belong to the command's answer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = torch.export.load(io.BytesIO(clean))
            exported = torch.onnx.export(program, dynamo=True, verbose=False)
        except Exception as error:  # torch's loaders and converters raise anything; this is the border
            reason = shown(str(error))
            raise ModelError(
                f"torch could not read or convert the program ({type(error).__name__}: {reason}); {_ADVICE}"
            ) from error
        finally:
            logging.disable(logging.NOTSET)
    if exported is None:
        raise ModelError(f"torch made no ONNX model of the exported program; {_ADVICE}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        exported.save(path, external_data=False)
        return path.read_bytes()


def _clean_archive(archive: Archive) -> bytes:
    """A new archive of what is needed and harmless.

    Raises:
        ModelError: a member is unknown, or its JSON asks for more than tensors and operators.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as clean:
        for name in archive.names:
            bare = name.split("/", 1)[-1]
            if bare == _SAMPLE_INPUTS:
                clean.writestr(f"model/{bare}", b"")  # a pickle; torch reads nothing as "no sample inputs"
                continue
            if not _KEPT.fullmatch(bare):
                raise ModelError(
                    f"the archive contains {shown(name)!r}, which may run code when read; save a program of plain "
                    f"tensors with torch.export.save of torch 2.8 or newer, or {_ADVICE}",
                    kind="unsafe-model",
                )
            data = archive.read(name)
            if bare.endswith(".json"):
                _scan_json(name, data)
            clean.writestr(f"model/{bare}", data)
    return buffer.getvalue()


def _scan_json(name: str, data: bytes) -> None:
    if len(data) > _MAX_JSON_BYTES:
        raise ModelError(f"the member {shown(name)!r} is too large; {_ADVICE}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the member {shown(name)!r} of the archive is no JSON; {_ADVICE}") from error
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            problem = _problem(item)
            if problem:
                raise ModelError(f"{shown(name)!r} {problem}; {_ADVICE}", kind="unsafe-model")
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _problem(item: dict[str, Any]) -> str | None:
    """What makes an object of the JSON unsafe to hand to torch."""
    if item.get("use_pickle"):
        return "asks for pickled weights, which can run code"
    if any("custom_obj" in str(key) and value for key, value in item.items()):
        return "asks for custom objects, which can run code"
    if item.get("expr_str") or item.get("as_expr"):
        return "has symbolic sizes, which torch evaluates as code; export with fixed shapes (no dynamic_shapes)"
    target = item.get("target")
    if isinstance(target, str) and "inputs" in item and not _OPERATOR.fullmatch(target):
        return f"calls {shown(target)!r}, which is no aten operator"
    return None
