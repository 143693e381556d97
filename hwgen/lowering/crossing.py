"""What a pipeline partition sends from device to device, known before anything is lowered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hwgen.lowering.kinds.families import Placeless
from hwgen.lowering.kinds.lowering import lowering_of
from hwgen.lowering.quantized import QuantizedGraph
from hwgen.lowering.space import cut_points
from hwgen.model.kinds.sources import Constant, Input


def cut_bits(graph: QuantizedGraph) -> tuple[int, ...]:
    """Bits per inference over each cut along ``cut_points``.

    Returns:
        Per position, the bits of all tensors that are made before that unit and read by it or behind it. They all
        cross the channel of a cut there when devices are neighbours in a chain, those on their way further included;
        where there are shorter ways, they are an upper bound.
    """
    steps = [0] * (len(cut_points(graph.graph)) + 1)
    for bits, made, read in _spans(graph):
        steps[made + 1] += bits
        steps[read + 1] -= bits
    return tuple(itertools.accumulate(steps[:-1]))


def _spans(graph: QuantizedGraph) -> Iterator[tuple[int, int, int]]:
    """Per tensor: its bits, the position of the unit that makes it, and of the last unit that reads it."""
    position = {unit: index for index, unit in enumerate(cut_points(graph.graph))}
    maker: dict[str, str] = {}  # what has no hardware hands on the tensor that it reads
    made: dict[str, int] = {}
    read: dict[str, int] = {}
    for node in graph.nodes:
        kind = node.node.kind
        if isinstance(kind, Constant):
            continue
        if isinstance(kind, Input):  # it enters on the device of its first reader
            made[node.name] = next(position[n.name] for n in graph.nodes if node.name in n.inputs)
        elif isinstance(lowering_of(kind), Placeless):
            maker[node.name] = maker[node.inputs[0]]
            continue
        else:
            made[node.name] = position[node.name]
        maker[node.name] = node.name
        read |= {maker[source]: position[node.name] for source in node.inputs if source in maker}
    for name, last in read.items():
        tensor = graph.by_name[name]
        yield tensor.node.shape.elements * tensor.format.bits, made[name], last
