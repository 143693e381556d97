"""What a candidate may choose for each node of a graph, independent of its number formats."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.lowering.kinds.lowering import lowering_of
from hwgen.lowering.lanes import LaneChoice
from hwgen.lowering.precision import PrecisionChoice
from hwgen.model.graph import Graph
from hwgen.model.kinds.families import Source
from hwgen.model.passes.fusion import fuse


def precision_choices(graph: Graph) -> dict[str, PrecisionChoice]:
    """The nodes that a quantization plan must name, in topological order."""
    choices = {g.node.name: lowering_of(g.node.kind).precision(g.node.kind, g, graph) for g in fuse(graph)}
    return {name: choice for name, choice in choices.items() if choice is not None}


def lane_choices(graph: Graph, mx_blocks: Sequence[int] = ()) -> dict[str, LaneChoice]:
    """The nodes that a parallelism plan must name, in topological order.

    Args:
        graph: the imported graph.
        mx_blocks: block lengths of shared-exponent formats in the space; input lanes of matrix products that no
            block boundary respects are left out.
    """
    nodes = [group.node for group in fuse(graph)]
    choices = {n.name: lowering_of(n.kind).lanes(n.kind, n, graph.operand_shapes(n), mx_blocks) for n in nodes}
    return {name: choice for name, choice in choices.items() if choice is not None}


def cut_points(graph: Graph) -> list[str]:
    """Placeable nodes in topological order; a pipeline partition assigns non-decreasing devices along this list."""
    return [group.node.name for group in fuse(graph) if not isinstance(group.node.kind, Source)]
