"""How far each tensor of a design is from the float model's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from hwgen.hardware.design import Design, Stream
from hwgen.hardware.streams import Words
from hwgen.model.float_reference import walk
from hwgen.model.graph import Graph
from hwgen.model.passes.fusion import fuse
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import carrier, dequantize

_HELD_ELEMENTS = 1 << 23


class FloatTensors:
    """The float model's tensors on the first samples of a job, computed once for all of its candidates.

    Args:
        graph: the model.
        inputs: of each input node ``(samples, *grid, features)``; as many samples are taken as memory is meant to hold.
    """

    def __init__(self, graph: Graph, inputs: Mapping[str, Array]) -> None:
        elements = sum(node.shape.elements for node in graph.nodes)
        self._samples = max(1, _HELD_ELEMENTS // max(1, elements))
        self._graph = graph
        self._inputs = {name: array[: self._samples] for name, array in inputs.items()}

    def errors(self, design: Design, words: Mapping[str, Words]) -> list[dict[str, Any]]:
        """Format and error of the tensor of each node, in the order of the graph.

        The error is the RMS of the difference to the float tensor, as a share of that tensor's RMS; what the nodes
        before it added is in it. A node that is split, moves no word of its own or is zero throughout is left out.

        Args:
            design: a design of the graph.
            words: of every stream, on the samples of this object or on more.
        """
        streams = {name: design.out_of[name, port] for name, port in design.out_of}
        return [
            {"node": node, "format": stream.type.format.text, "error": _error(stream, words[stream.name], array)}
            for node, array in self._made.items()
            if (stream := streams.get(node)) is not None and _alike(stream, array)
        ]

    @cached_property
    def _made(self) -> dict[str, Array]:
        """By name of the node that makes it in hardware, the clamps behind it included."""
        maker = {group.tensor: group.node.name for group in fuse(self._graph)}
        return {maker[name]: array for name, array in walk(self._graph, self._inputs) if name in maker}


def _alike(stream: Stream, array: Array) -> bool:
    return stream.type.tokens * stream.type.features == array[0].size and bool(array.any())


def _error(stream: Stream, words: Words, array: Array) -> float:
    made = dequantize(words.integers(stream.type)[: len(array)], carrier(stream.type.format))
    exact = array.astype(np.float64).reshape(made.shape)
    return float(f"{np.sqrt(np.mean((made - exact) ** 2) / np.mean(exact**2)):.4g}")
