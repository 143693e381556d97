"""A file of tensors behind a JSON header: uncompressed, aligned, the same bytes for the same content, no pickle.

Layout: 16 bytes of magic with the version, the length of the header in 8 bytes, the header, and each tensor at the next
multiple of 64 bytes. Reading maps the file, so that tensors cost nothing until they are read.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.model.tensors import StoredTensor, Tensor

VERSION = 2  # 1 was an .npz of whole arrays
ALIGNMENT = 64
_MAGIC = b"headrace graph%2d"
_TYPES = ("<f4", "<f8", "<i4", "<i8")


def write(path: Path, header: dict[str, Any], tensors: Sequence[Tensor]) -> None:
    """Write ``header`` (plain JSON types) and ``tensors``, one at a time."""
    places, end = _places(tensors)
    text = json.dumps({**header, "tensors": places}, sort_keys=True, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(_MAGIC % VERSION + len(text).to_bytes(8, "little") + text)
        start = _aligned(file.tell())
        for place, tensor in zip(places, tensors, strict=True):
            file.seek(start + place["offset"])
            file.write(np.ascontiguousarray(tensor.read(), dtype=place["dtype"]).tobytes())
        file.truncate(start + end)


def read(path: Path) -> tuple[dict[str, Any], list[Tensor]]:
    """The header of a file written by ``write``, and handles of its tensors; their values are not read.

    Raises:
        IllegalGraph: it is no such file, one of another version, or cut short.
    """
    with path.open("rb") as file:
        magic, length = file.read(16), int.from_bytes(file.read(8), "little")
        size = os.fstat(file.fileno()).st_size
        if magic != _MAGIC % VERSION:
            raise IllegalGraph(
                f"{path.name} is no graph of version {VERSION}: another release stored it; upload its file again"
            )
        if not 0 < length <= size - 24:
            raise IllegalGraph(f"{path.name} is cut short; upload its file again")
        header = _header(path, file.read(length))
        # Of this buffer, not of np.memmap: slices of the latter keep a path that may be gone.
        mapped = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)
    return header, list(_stored(path, mapped, header.pop("tensors"), _aligned(24 + length)))


def _header(path: Path, text: bytes) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise IllegalGraph(f"{path.name} is damaged; upload its file again") from error
    return header


def _stored(path: Path, mapped: Any, places: Sequence[dict[str, Any]], start: int) -> Iterator[Tensor]:
    for place in places:
        if place["dtype"] not in _TYPES:
            raise IllegalGraph(f"{path.name} holds a tensor of the type {place['dtype']}; upload its file again")
        tensor = StoredTensor(mapped, start + place["offset"], tuple(place["shape"]), np.dtype(place["dtype"]))
        inside = min(place["offset"], *place["shape"], 0) == 0
        if not inside or start + place["offset"] + tensor.size * tensor.dtype.itemsize > len(mapped):
            raise IllegalGraph(f"{path.name} is cut short; upload its file again")
        yield tensor


def _places(tensors: Sequence[Tensor]) -> tuple[list[dict[str, Any]], int]:
    """Type, shape and offset of each tensor behind the header, and the end of the last one."""
    places, end = [], 0
    for tensor in tensors:
        kind = tensor.dtype.newbyteorder("<").str
        if kind not in _TYPES:
            raise TypeError(f"a graph file holds tensors of {', '.join(_TYPES)}, not {kind}")
        offset = _aligned(end)
        places.append({"dtype": kind, "shape": list(tensor.shape), "offset": offset})
        end = offset + tensor.size * tensor.dtype.itemsize
    return places, end


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
