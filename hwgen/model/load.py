"""The entry of the importer: a model file of any accepted kind to a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import ModelError
from hwgen.model.archive import Archive
from hwgen.model.graph import Graph
from hwgen.model.onnx.fixed import with_fixed
from hwgen.model.onnx.source import MAX_FILE_BYTES, Source, parse_onnx
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


def import_file(
    path: Path, shapes: Mapping[str, Sequence[int]] | None = None, freeze: Mapping[str, Any] | None = None
) -> Imported:
    """Import a model file; its suffix is not looked at.

    Args:
        path: the file.
        shapes: whole shapes of inputs with open axes, by input name.
        freeze: constant values of inputs, by input name, in their whole shapes; or one number, or ``ones``, ``zeros``,
            ``arange``.

    Raises:
        ModelError: the file is refused; the error says why and what to do.
        Unfit: ``shapes`` or ``freeze`` do not fit the file.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ModelError(f"the file has {path.stat().st_size} bytes; at most {MAX_FILE_BYTES} are read")
    return import_bytes(path.read_bytes(), shapes, freeze)


def import_bytes(
    data: bytes, shapes: Mapping[str, Sequence[int]] | None = None, freeze: Mapping[str, Any] | None = None
) -> Imported:
    """Import the bytes of a model file; see ``import_file``."""
    kind = sniff(data)
    source = _source(kind, data)
    return Imported(kind, to_graph(with_fixed(source, shapes or {}, freeze or {})), source.parameters)


def _source(kind: FileKind, data: bytes) -> Source:
    if kind is FileKind.ONNX:
        return parse_onnx(data)
    if kind is FileKind.TORCH_EXPORT:
        from hwgen.model.torch.export import to_onnx  # imports torch

        return parse_onnx(to_onnx(Archive(data)))
    raise ModelError(
        "Hugging Face folders cannot be imported yet; export the model to ONNX with torch.onnx.export at batch size 1 "
        "and a fixed sequence length, and upload that file",
        kind="unsupported-model",
    )
