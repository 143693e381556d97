"""Evaluation data: a ``.npz`` of the user's, checked before a byte of it is interpreted, then loaded without pickle.

``python -m explorer.dataset FILE [MODEL_GRAPH]`` prints one JSON object about a file.
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import DatasetError
from explorer.inputs import vocabulary
from explorer.outputs import is_target
from hwgen.model.float_reference import apply_input_layout
from hwgen.model.graph import Graph, InputLayout
from hwgen.numbers.arrays import Array

LARGEST_BYTES = 4 << 30
_LARGEST_ENTRIES = 64
_HEADER_BYTES = 64 * 1024
_SAVE_AGAIN = "save it with numpy.savez(file, inputs=..., targets=...)"


@dataclass(frozen=True)
class Dataset:
    """Loaded evaluation data.

    Attributes:
        inputs: per input node of the graph, ``(samples, *grid, features)`` float32.
        targets: arrays ``targets`` and ``target_<output>``, each ``(samples, ...)`` class indices or real values.
        generated: made up by us, not the user's.
    """

    inputs: Mapping[str, Array]
    targets: Mapping[str, Array]
    generated: bool = False

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(next(iter(self.inputs.values())))

    def part(self, start: int, stop: int) -> dict[str, Array]:
        """Inputs of samples ``start .. stop - 1``."""
        return {name: array[start:stop] for name, array in self.inputs.items()}


def load(path: Path, graph: Graph) -> Dataset:
    """Read a data set for a model.

    Raises:
        DatasetError: naming every array that does not fit, and the shape expected.
    """
    arrays = read(path)
    issues = [issue for layout in graph.inputs if (issue := _input_issue(arrays, layout, graph))]
    if issues:
        raise DatasetError("the data set does not fit the inputs of the model", tuple(issues))
    inputs = {}
    for layout in graph.inputs:
        array = arrays[_key(arrays, layout, graph) or ""]
        shaped = array.reshape(len(array), *layout.shape)
        inputs[layout.node] = apply_input_layout(layout, graph.node(layout.node), shaped)
    return Dataset(inputs, {name: array for name, array in arrays.items() if is_target(name)})


def read(path: Path) -> dict[str, Array]:
    """The arrays of an ``.npz``, all of one length, finite and numeric; nothing is unpickled.

    Raises:
        DatasetError: naming every array at fault.
    """
    headers = _headers(path)
    issues = [issue for name, (shape, dtype) in headers.items() if (issue := _array_issue(name, shape, dtype))]
    lengths = {shape[0] for shape, _ in headers.values() if shape}
    if not issues and len(lengths) != 1:
        sizes = ", ".join(f"{name} {shape}" for name, (shape, _) in headers.items())
        issues = [{"array": "*", "detail": f"every array has one row per sample, but the shapes are {sizes}"}]
    if not any(name == "inputs" or name.startswith("input_") for name in headers):
        issues.append({"array": "inputs", "detail": "is missing: save an array of that name, or one input_<name> each"})
    if issues:
        raise DatasetError("the data set cannot be used", tuple(issues))
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in headers}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, RuntimeError) as error:
        raise DatasetError(f"the file is damaged ({error}); {_SAVE_AGAIN}") from error
    bad = [n for n, a in arrays.items() if a.dtype.kind == "f" and not _finite(a)]
    if bad:
        detail = "has values that are not finite numbers in float32; remove them, fill them in or scale them"
        raise DatasetError("the data set cannot be used", tuple({"array": n, "detail": detail} for n in bad))
    return arrays


def _finite(array: Array) -> bool:
    """Whether all values are finite in the precision that models compute in."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(array.astype(np.float32, copy=False)).all())


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of every array, from the archive's directory and the arrays' headers alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if not entries or len(entries) > _LARGEST_ENTRIES:
                raise DatasetError(
                    f"the archive holds {len(entries)} files; 1 to {_LARGEST_ENTRIES} arrays are allowed"
                )
            if len({e.filename for e in entries}) < len(entries):
                raise DatasetError(f"the archive holds two files of one name; {_SAVE_AGAIN}")
            if sum(e.file_size for e in entries) > LARGEST_BYTES:
                raise DatasetError(f"the arrays are larger than {LARGEST_BYTES >> 30} GiB unpacked; use fewer samples")
            return dict(_header(archive, entry) for entry in entries)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        # The error's text may quote the file at length.
        raise DatasetError(f"the file is no .npz archive of arrays; {_SAVE_AGAIN}") from error


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    name = entry.filename.removesuffix(".npy")
    if not entry.filename.endswith(".npy") or not name.isidentifier():
        raise DatasetError(f"the archive entry {entry.filename[:80]!r} is no array with a plain name; {_SAVE_AGAIN}")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(file, max_header_size=_HEADER_BYTES)
        if any(n < 0 for n in shape):
            raise DatasetError(f"the array {name} has a negative dimension; {_SAVE_AGAIN}")
        if not dtype.hasobject and file.tell() + math.prod(shape) * dtype.itemsize != entry.file_size:
            raise DatasetError(
                f"the array {name} does not have the size that its header {shape} {dtype} says; {_SAVE_AGAIN}"
            )
    return name, (shape, dtype)


def _array_issue(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, str] | None:
    if dtype.hasobject or dtype.kind not in "fiub":
        return {"array": name, "detail": f"has the type {dtype}; save real numbers (float32, int64, …), not objects"}
    if not shape or shape[0] < 1:
        return {"array": name, "detail": f"has the shape {shape}; the first dimension counts the samples, at least one"}
    return None


def _key(arrays: Mapping[str, Array], layout: InputLayout, graph: Graph) -> str | None:
    """The array for an input: ``input_<name>`` by the model's or our name, or ``inputs`` for the only input."""
    for name in (layout.source, layout.node):
        if f"input_{name}" in arrays:
            return f"input_{name}"
    return "inputs" if len(graph.inputs) == 1 and "inputs" in arrays else None


def _input_issue(arrays: Mapping[str, Array], layout: InputLayout, graph: Graph) -> dict[str, str] | None:
    key = _key(arrays, layout, graph)
    if key is None:
        wanted = f"input_{layout.source}" if len(graph.inputs) > 1 else "inputs"
        return {"array": wanted, "detail": f"is missing: the model's input {layout.source!r} takes it"}
    array = arrays[key]
    # Axes of length one carry no order, so data without the channel axis of a grey image still fits.
    if [n for n in array.shape[1:] if n != 1] != [n for n in layout.shape if n != 1]:
        detail = f"has the shape {array.shape[1:]} per sample; the model's input {layout.source!r} takes {layout.shape}"
        return {"array": key, "detail": detail}
    if layout.integer:
        ids = vocabulary(graph, layout.node)
        if not np.array_equal(array, np.floor(array)) or array.min() < 0 or array.max() >= ids:
            return {"array": key, "detail": f"holds values that are no token ids; the embedding knows 0 .. {ids - 1}"}
    return None


def describe(path: Path, graph: Graph | None) -> dict[str, Any]:
    """What ``python -m explorer.dataset`` prints."""
    try:
        arrays = read(path)
        if graph is not None:
            load(path, graph)
    except DatasetError as error:
        return {"ok": False, "detail": error.detail, "errors": list(error.issues)}
    shapes = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()}
    return {"ok": True, "samples": len(next(iter(arrays.values()))), "arrays": shapes}


def main(arguments: list[str]) -> None:
    """Command line: FILE [MODEL_GRAPH]."""
    graph = Graph.load(Path(arguments[1])) if len(arguments) > 1 else None
    print(json.dumps(describe(Path(arguments[0]), graph)))


if __name__ == "__main__":
    main(sys.argv[1:])
