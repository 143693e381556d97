"""Inputs made up where the user gave no data: enough to calibrate formats and compare words, not to judge a model."""

from __future__ import annotations

import numpy as np

from hwgen.model.graph import Graph
from hwgen.model.kinds.embedding import Embedding
from hwgen.numbers.arrays import Array


def generated_inputs(graph: Graph, samples: int, seed: int = 0) -> dict[str, Array]:
    """Random tensors for each input node: standard normal, or uniform ids for an input that feeds an embedding.

    Returns:
        Per input node, ``(samples, *grid, features)``; float32, ids as whole numbers.
    """
    generator = np.random.default_rng(seed)
    made: dict[str, Array] = {}
    for layout in graph.inputs:
        shape = (samples, *graph.node(layout.node).shape.dims)
        if layout.integer:
            made[layout.node] = generator.integers(0, vocabulary(graph, layout.node), shape).astype(np.float32)
        else:
            made[layout.node] = generator.standard_normal(shape, dtype=np.float32)
    return made


def vocabulary(graph: Graph, node: str) -> int:
    """Number of ids that every embedding reading the input ``node`` knows."""
    readers = graph.consumers(node)
    return min((c.kind.vocabulary(c.tensors) for c in readers if isinstance(c.kind, Embedding)), default=1)
