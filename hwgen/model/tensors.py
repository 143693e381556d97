"""Handles of constant tensors: shape and type are known at once, values are read when they are needed."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from hwgen.numbers.arrays import Array

ALL = slice(None)
_DIGEST_BYTES = 1 << 24  # read at a time for a digest


class Tensor(ABC):
    """A constant tensor; handles are immutable, so equal digests mean equal values for ever."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""

    @abstractmethod
    def read(self, rows: slice = ALL) -> Array:
        """The values, or those of a range of the first axis; never to be written to."""

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of type, shape and little-endian bytes, in hexadecimal; computed once, in slices of rows."""
        digest = hashlib.sha256(f"{self.dtype.newbyteorder('<').str} {self.shape}".encode())
        for rows in self._slices():
            values = np.ascontiguousarray(self.read(rows), dtype=self.dtype.newbyteorder("<"))
            digest.update(values.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def _slices(self) -> list[slice]:
        if not self.shape or not self.size:
            return [ALL]
        step = max(1, _DIGEST_BYTES * self.shape[0] // (self.size * self.dtype.itemsize))
        return [slice(start, start + step) for start in range(0, self.shape[0], step)]


class ArrayTensor(Tensor):
    """A tensor in memory.

    Args:
        values: of any shape and numeric type; not written to afterwards.
    """

    def __init__(self, values: Array) -> None:
        self._values = values

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._values.dtype

    def read(self, rows: slice = ALL) -> Array:
        """The values, or those of a range of the first axis."""
        return self._values if rows == ALL else self._values[rows]


class StoredTensor(Tensor):
    """A tensor in a mapped file: the operating system reads the pages that are touched, and may drop them again.

    Args:
        mapped: ``(bytes,)`` the file, mapped read-only; it stays readable when its name is removed.
        offset: of the first byte.
        shape, dtype: of the tensor.
    """

    def __init__(self, mapped: Array, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._mapped, self._offset = mapped, offset
        self._shape, self._dtype = shape, dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._dtype

    def read(self, rows: slice = ALL) -> Array:
        """A read-only view of the file."""
        data = self._mapped[self._offset : self._offset + self.size * self._dtype.itemsize]
        values: Array = data.view(np.ndarray).view(self._dtype).reshape(self._shape)
        return values if rows == ALL else values[rows]


def in_memory(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    """Handles of arrays, by the same names."""
    return {name: ArrayTensor(array) for name, array in arrays.items()}
