"""How an ONNX tensor lies in the stream of an IR node: the algebra that absorbs layout operators.

A ``View`` factorises the stream order of one node into factors and says which factors make up each ONNX axis.
Transpose permutes the axes, Reshape regroups the factors; neither moves data. Only when an operator needs its
factors in another stream order does a permutation become hardware. The batch axis has size 1 and no factors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hwgen.numbers.arrays import Array

# A factor while views are being rewritten: its place in the stream (tuples sort in stream order) and its size.
_Piece: TypeAlias = tuple[tuple[int, ...], int]


@dataclass(frozen=True)
class View:
    """One ONNX tensor as a factorisation of the tensor of an IR node.

    Attributes:
        node: name of the IR node.
        sizes: factor sizes in stream order, each greater than 1.
        dims: for each ONNX axis the indices of its factors, major first.
    """

    node: str
    sizes: tuple[int, ...]
    dims: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The ONNX shape, batch axis included."""
        return tuple(math.prod(self.sizes[f] for f in dim) for dim in self.dims)

    @property
    def sequence(self) -> tuple[int, ...]:
        """Factor indices in ONNX order."""
        return tuple(f for dim in self.dims for f in dim)

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.sizes)

    def size(self, factors: Sequence[int]) -> int:
        """Product of the sizes of some factors."""
        return math.prod(self.sizes[f] for f in factors)

    def transposed(self, order: Sequence[int]) -> View:
        """The view with its axes permuted."""
        return View(self.node, self.sizes, tuple(self.dims[axis] for axis in order))

    def reshaped(self, shape: Sequence[int]) -> View | None:
        """The view with another shape of as many elements; None where that would need data to move."""
        regrouped = _regroup(self._pieces(merge=True), shape)
        return None if regrouped is None else _assemble(self.node, regrouped)

    def merged(self) -> View:
        """The same view with as few factors as possible."""
        groups = []
        for dim in self.dims:
            pieces: list[_Piece] = []
            for factor in dim:
                if pieces and pieces[-1][0][-1] == factor - 1:
                    pieces[-1] = ((*pieces[-1][0], factor), pieces[-1][1] * self.sizes[factor])
                else:
                    pieces.append(((factor,), self.sizes[factor]))
            groups.append(pieces)
        return _assemble(self.node, groups)

    def with_rank(self, rank: int) -> View:
        """The view with axes of size 1 put before it until it has ``rank`` axes."""
        return View(self.node, self.sizes, ((),) * (rank - len(self.dims)) + self.dims)

    def _pieces(self, merge: bool) -> list[_Piece]:
        pieces: list[_Piece] = []
        last = -2
        for factor in self.sequence:
            if merge and factor == last + 1:
                pieces[-1] = (pieces[-1][0], pieces[-1][1] * self.sizes[factor])
            else:
                pieces.append(((factor,), self.sizes[factor]))
            last = factor
        return pieces

    def to_stream(self, values: Array) -> Array:
        """An array of the view's ONNX shape, its elements in stream order (shape: the factor sizes)."""
        sequence = self.sequence
        split = values.reshape([self.sizes[f] for f in sequence])
        return np.asarray(split.transpose([sequence.index(f) for f in range(len(self.sizes))]))


def _regroup(pieces: list[_Piece], shape: Sequence[int]) -> list[list[_Piece]] | None:
    """Hand the pieces out to the axes of ``shape``, splitting where an axis ends inside one."""
    queue = list(reversed(pieces))
    groups: list[list[_Piece]] = []
    for size in shape:
        group: list[_Piece] = []
        while size > 1:
            if not queue:
                return None
            key, extent = queue.pop()
            if size % extent == 0:
                group.append((key, extent))
                size //= extent
            elif extent % size == 0:
                group.append(((*key, 0), size))
                queue.append(((*key, 1), extent // size))
                size = 1
            else:
                return None
        groups.append(group)
    return None if queue else groups


def _assemble(node: str, groups: Sequence[Sequence[_Piece]]) -> View:
    """A view from pieces per axis; pieces of size 1 vanish."""
    kept = sorted(piece for group in groups for piece in group if piece[1] > 1)
    index = {key: i for i, (key, _) in enumerate(kept)}
    dims = tuple(tuple(index[key] for key, size in group if size > 1) for group in groups)
    return View(node, tuple(size for _, size in kept), dims)


def stream_view(node: str, stream: Sequence[tuple[int, int]], rank: int) -> View:
    """A view of a fresh node: ``stream`` lists (size, ONNX axis) in stream order."""
    groups: list[list[_Piece]] = [[] for _ in range(rank)]
    for position, (size, axis) in enumerate(stream):
        groups[axis].append(((position,), size))
    return _assemble(node, groups)


def plain_view(node: str, shape: Sequence[int]) -> View:
    """The view of a node whose stream is in ONNX order."""
    return stream_view(node, [(size, axis) for axis, size in enumerate(shape)], len(shape))


def refined(a: View, b: View) -> tuple[View, View] | None:
    """Two views with the same factor sizes along every axis; None where no common split exists.

    Where ``b`` has one element along an axis of ``a`` it has no factors there.
    """
    a, b = a.merged(), b.merged()
    a_groups: list[list[_Piece]] = []
    b_groups: list[list[_Piece]] = []
    for a_dim, b_dim in zip(a.dims, b.dims, strict=True):
        split = _common_split(_axis_pieces(a, a_dim), _axis_pieces(b, b_dim))
        if split is None:
            return None
        a_groups.append(split[0])
        b_groups.append(split[1])
    return _assemble(a.node, a_groups), _assemble(b.node, b_groups)


def _axis_pieces(view: View, dim: tuple[int, ...]) -> list[_Piece]:
    return [((f,), view.sizes[f]) for f in dim]


def _common_split(a: list[_Piece], b: list[_Piece]) -> tuple[list[_Piece], list[_Piece]] | None:
    if not b:
        return a, []
    a_queue, b_queue = list(reversed(a)), list(reversed(b))
    a_out: list[_Piece] = []
    b_out: list[_Piece] = []
    while a_queue and b_queue:
        (a_key, a_size), (b_key, b_size) = a_queue.pop(), b_queue.pop()
        size = min(a_size, b_size)
        if a_size % size or b_size % size:
            return None
        a_out.append(((*a_key, 0), size) if a_size > size else (a_key, size))
        b_out.append(((*b_key, 0), size) if b_size > size else (b_key, size))
        if a_size > size:
            a_queue.append(((*a_key, 1), a_size // size))
        if b_size > size:
            b_queue.append(((*b_key, 1), b_size // size))
    return a_out, b_out
