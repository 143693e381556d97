"""Repeated parts of a graph: one body and its copies, which a search decides once and a simulation meets once.

A *region* is a body of nodes that follows itself ``count`` times along an axis. Along the axis *layer* (the blocks of a
transformer, the stages of a residual network) the copies hold other constants and stand in hardware side by side. The
regions along the axes *token* (recurrence) and *step* (decode) are the same type with one copy in hardware that is used
again: ``carried`` is then its state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from hwgen.model.graph import Graph, Node
from hwgen.numbers.arrays import Array

Axis: TypeAlias = Literal["layer", "token", "step"]

LEAST_NODES = 2  # a body of one node is a chain of equal operators, which share their compiled code anyway


@dataclass(frozen=True)
class Region:
    """A body and its copies.

    Attributes:
        axis: along what the body is repeated.
        copies: per copy, its nodes in topological order; nodes at one position are of one kind and shape.
        carried: positions in a copy whose tensors the next copy reads.
    """

    axis: Axis
    copies: tuple[tuple[str, ...], ...]
    carried: tuple[int, ...]

    @property
    def body(self) -> tuple[str, ...]:
        """The nodes of the first copy."""
        return self.copies[0]

    @property
    def count(self) -> int:
        """How many copies there are."""
        return len(self.copies)


def layer_regions(graph: Graph) -> tuple[Region, ...]:
    """The repeated blocks of a graph, in topological order; they do not overlap.

    Two copies are equal when their nodes agree one by one in kind, shape and the shapes of their constants, and read
    the same positions of their own copy, the same positions of the copy before, or the same tensor outside. The
    repetition that covers most nodes is taken first; what lies before and behind it is searched again.
    """
    return tuple(sorted(_found(graph, 0, len(graph.nodes)), key=lambda r: _index(graph)[r.body[0]]))


def _index(graph: Graph) -> dict[str, int]:
    return {node.name: i for i, node in enumerate(graph.nodes)}


def _found(graph: Graph, start: int, stop: int) -> Iterator[Region]:
    names = [n.name for n in graph.nodes]
    best = _best(graph, start, stop)
    if best is None:
        return
    copies = tuple(
        tuple(names[first : first + best.length])
        for first in range(best.first, best.first + best.length * best.count, best.length)
    )
    yield Region("layer", copies, best.carried)
    yield from _found(graph, start, best.first)
    yield from _found(graph, best.first + best.length * best.count, stop)


@dataclass(frozen=True)
class _Repetition:
    first: int
    length: int
    count: int
    carried: tuple[int, ...]

    @property
    def merit(self) -> tuple[int, int, int, int]:
        """Most nodes, then the shortest body, then the fewest carried tensors, then the earliest."""
        return self.length * self.count, -self.length, -len(self.carried), -self.first


def _best(graph: Graph, start: int, stop: int) -> _Repetition | None:
    """The repetition of most merit in a range of nodes."""
    alike = _alike(graph.nodes[start:stop])
    inputs = _inputs(graph)
    best: _Repetition | None = None
    for length in range(LEAST_NODES, (stop - start) // 2 + 1):
        for begin, end in _runs(alike[:-length] == alike[length:]):
            if best is not None and end - begin + length < best.length * best.count:
                continue  # even the whole run would cover less
            for first in range(start + begin, min(start + begin + length, start + end - length + 1)):
                made = _repetition(inputs, first, length, start + end + length)
                if made is not None and (best is None or made.merit > best.merit):
                    best = made
    return best


def _alike(nodes: Sequence[Node]) -> Array:
    """``(nodes,)`` integers, equal for nodes that could stand for one another."""
    numbers: dict[Hashable, int] = {}
    found = []
    for node in nodes:
        tensors = tuple((name, tensor.shape) for name, tensor in sorted(node.tensors.items()))
        found.append(numbers.setdefault((node.kind, node.shape, tensors, len(node.inputs)), len(numbers)))
    return np.array(found)


def _runs(equal: Array) -> Iterator[tuple[int, int]]:
    """Ranges in which ``equal`` holds throughout."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], equal.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _inputs(graph: Graph) -> list[tuple[int, ...]]:
    index = _index(graph)
    return [tuple(index[name] for name in node.inputs) for node in graph.nodes]


def _repetition(inputs: Sequence[tuple[int, ...]], first: int, length: int, stop: int) -> _Repetition | None:
    """The copies from ``first`` on, as many as read alike; None for fewer than two, or an output read elsewhere."""
    count = 1
    carried: dict[int, int] = {}  # what the first copy reads from outside: the position that later copies read instead
    while first + (count + 1) * length <= stop and _reads_alike(inputs, first, length, count, carried):
        count += 1
    if count < 2:
        return None
    return _Repetition(first, length, count, tuple(sorted(set(carried.values()))))


def _reads_alike(
    inputs: Sequence[tuple[int, ...]], first: int, length: int, copy: int, carried: dict[int, int]
) -> bool:
    """Whether copy number ``copy`` reads what the first one does; enters into ``carried`` what the second one shows."""
    base = first + copy * length
    for offset in range(length):
        for mine, model in zip(inputs[base + offset], inputs[first + offset], strict=True):
            if model >= first:  # inside its own copy
                alike = mine == model + copy * length
            elif mine == model:  # the same tensor for all copies
                alike = model not in carried
            else:
                place = mine - (base - length)
                if copy == 1:
                    carried.setdefault(model, place)
                alike = 0 <= place < length and carried.get(model) == place
            if not alike:
                return False
    return True
