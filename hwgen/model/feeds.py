"""A user's arrays, checked and laid out as the tensors of the input nodes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwgen.model.float_reference import apply_input_layout
from hwgen.model.graph import Graph, InputLayout
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.families import Moving
from hwgen.numbers.arrays import Array


def tensors_of(graph: Graph, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The tensors ``(samples, *grid, features)`` of the input nodes.

    Args:
        graph: an imported graph.
        arrays: by the source model's input names, ``(samples, *shape)`` of real numbers or token ids.

    Raises:
        ValueError: an input is missing or unknown, or an array has another shape or holds what no input takes.
    """
    wanted = [layout.source for layout in graph.inputs]
    if set(arrays) != set(wanted):
        raise ValueError(f"the model's inputs are {wanted}, but arrays are given for {sorted(arrays)}")
    given = {name: np.asarray(array) for name, array in arrays.items()}
    for layout in graph.inputs:
        _check(graph, layout, given[layout.source])
    if len({len(array) for array in given.values()}) > 1:
        raise ValueError(f"the inputs have different numbers of samples: { {n: len(a) for n, a in given.items()} }")
    return {i.node: apply_input_layout(i, graph.node(i.node), given[i.source]) for i in graph.inputs}


def _check(graph: Graph, layout: InputLayout, array: Array) -> None:
    name = f"the array of the input {layout.source!r}"
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} holds {array.dtype}, not real numbers")
    if array.ndim == 0 or array.shape[1:] != layout.shape or len(array) == 0:
        raise ValueError(f"{name} has the shape {array.shape}; give (samples, *{layout.shape}), one sample or more")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    if layout.integer:
        ids = _vocabulary(graph, layout.node)
        if (array != np.floor(array)).any() or array.min() < 0 or array.max() >= ids:
            raise ValueError(f"{name} holds values that are no token ids; the embedding knows 0 to {ids - 1}")


def _vocabulary(graph: Graph, node: str) -> int:
    """How many ids every embedding that reads an input knows, words moved or not."""
    sizes, stack = [], [node]
    while stack:
        for reader in graph.consumers(stack.pop()):
            if isinstance(reader.kind, Embedding):
                sizes.append(reader.kind.vocabulary(reader.tensors))
            elif isinstance(reader.kind, Moving):
                stack.append(reader.name)
    return min(sizes)
