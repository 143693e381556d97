"""What a file is, by its first bytes and, for zips, its member names; never by its suffix."""

from __future__ import annotations

from enum import StrEnum

from hwgen.errors import ModelError
from hwgen.model.archive import Archive

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PICKLE_PROTOCOLS = tuple(bytes([0x80, version]) for version in range(2, 6))


class FileKind(StrEnum):
    """The kinds of model file that are accepted; the values are the ``format`` of the HTTP contract."""

    ONNX = "onnx"
    TORCH_EXPORT = "pt2"
    HUGGING_FACE = "huggingface"


def sniff(data: bytes) -> FileKind:
    """The kind of a model file.

    Raises:
        ModelError: it is none of those that are accepted; the text says what it is and what to upload instead.
    """
    if not data:
        raise ModelError("the file is empty")
    if data.startswith(b"PK") or b"PK\x05\x06" in data[-65_557:]:
        return _sniff_zip(data)
    if data.startswith(_PICKLE_PROTOCOLS):
        raise ModelError(
            "the file is a Python pickle, which can run code when it is read, so it is never opened. "
            "Export the model to ONNX (torch.onnx.export) and upload that",
            kind="unsafe-model",
        )
    if data.startswith(_HDF5):
        raise ModelError("the file is HDF5 (a Keras model?); convert it to ONNX, for example with tf2onnx")
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data) - 8:
        raise ModelError(
            "the file is safetensors: weights without the model that computes with them. Build the model, load these "
            "weights, export it to ONNX (torch.onnx.export) and upload that file"
        )
    if data[4:8] == b"TFL3":
        raise ModelError("the file is a TensorFlow Lite model; convert the float model to ONNX")
    if data[:1] in (b"{", b"[", b"<"):
        raise ModelError("the file is text, not a model; upload the .onnx file that the exporter wrote")
    return FileKind.ONNX


def _sniff_zip(data: bytes) -> FileKind:
    if not data.startswith(b"PK\x03\x04"):
        raise ModelError(
            "the file is a zip archive with something before it; upload the model itself, not a combined file",
            kind="unsafe-model",
        )
    archive = Archive(data)
    names = archive.names
    bare = {name.split("/", 1)[-1] for name in names}
    if any(name.startswith("code/") or name == "constants.pkl" for name in bare):
        raise ModelError(
            "the file is a TorchScript archive, which contains code; export to ONNX or torch.export instead",
            "unsafe-model",
        )
    if "archive_format" in bare or any(name.startswith("models/") and name.endswith(".json") for name in bare):
        return FileKind.TORCH_EXPORT
    if "data.pkl" in bare or any(name.endswith((".pkl", ".pickle")) for name in bare):
        raise ModelError(
            "the file is a pickled PyTorch checkpoint; export the model to ONNX and upload that", "unsafe-model"
        )
    if "config.json" in bare:
        return FileKind.HUGGING_FACE
    raise ModelError("the zip archive is neither a torch.export file nor a Hugging Face folder with config.json")
