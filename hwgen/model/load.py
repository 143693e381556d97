"""The entry of the importer: a model file of any accepted kind to a graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import ModelError
from hwgen.model.archive import Archive
from hwgen.model.graph import Graph
from hwgen.model.onnx.source import MAX_FILE_BYTES, parse_onnx
from hwgen.model.onnx.walk import to_graph
from hwgen.model.sniff import FileKind, sniff


@dataclass(frozen=True)
class Imported:
    """What a model file holds.

    Attributes:
        kind: what kind of file it is.
        graph: the canonical graph.
        parameters: how many numbers the source model stores, before anything is folded.
    """

    kind: FileKind
    graph: Graph
    parameters: int


def import_file(path: Path) -> Imported:
    """Import a model file; its suffix is not looked at.

    Raises:
        ModelError: the file is refused; the error says why and what to do.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ModelError(f"the file has {path.stat().st_size} bytes; at most {MAX_FILE_BYTES} are read")
    return import_bytes(path.read_bytes())


def import_bytes(data: bytes) -> Imported:
    """Import the bytes of a model file; see ``import_file``."""
    kind = sniff(data)
    if kind is FileKind.ONNX:
        return _imported(kind, data)
    if kind is FileKind.TORCH_EXPORT:
        from hwgen.model.torch.export import to_onnx  # imports torch

        return _imported(kind, to_onnx(Archive(data)))
    raise ModelError(
        "Hugging Face folders cannot be imported yet; export the model to ONNX with torch.onnx.export at batch size 1 "
        "and a fixed sequence length, and upload that file",
        kind="unsupported-model",
    )


def _imported(kind: FileKind, onnx_bytes: bytes) -> Imported:
    source = parse_onnx(onnx_bytes)
    return Imported(kind, to_graph(source), source.parameters)
