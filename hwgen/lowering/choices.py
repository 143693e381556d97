"""What a candidate may choose for each node of a graph, independent of its number formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from hwgen.hardware.operators.permute import most_lanes
from hwgen.model.graph import Graph, Node, Op
from hwgen.model.passes.fusion import MOVING, FusedNode, fuse


@dataclass(frozen=True)
class LaneChoice:
    """Legal lanes of one node.

    Attributes:
        in_lanes, out_lanes: legal values, ascending; 1 is always among them.
        tied: both sides have the same lanes.
    """

    in_lanes: tuple[int, ...]
    out_lanes: tuple[int, ...]
    tied: bool


@dataclass(frozen=True)
class PrecisionChoice:
    """Which formats the quantization plan gives for one node.

    Attributes:
        has_weight: it has a weight format.
        fixed_activation: the activation format is not a choice (outputs of the graph, token ids), else None.
    """

    has_weight: bool
    fixed_activation: str | None


def divisors(number: int) -> tuple[int, ...]:
    """All divisors, ascending."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return tuple(sorted({*small, *(number // d for d in small)}))


def precision_choices(graph: Graph) -> dict[str, PrecisionChoice]:
    """The nodes that a quantization plan must name, in topological order."""
    ids = {i.node for i in graph.inputs if i.integer}
    found = {}
    for fused in fuse(graph):
        node = fused.node
        if node.op in MOVING or node.op in (Op.CONSTANT, Op.RELU, Op.CLIP):
            continue
        fixed = "int16" if fused.is_output else "uint16" if node.name in ids else None
        found[node.name] = PrecisionChoice(node.op in (Op.LINEAR, Op.CONV), fixed)
    return found


def lane_choices(graph: Graph, mx_blocks: Sequence[int] = ()) -> dict[str, LaneChoice]:
    """The nodes that a parallelism plan must name, in topological order.

    Args:
        graph: the imported graph.
        mx_blocks: block lengths of shared-exponent formats in the space; input lanes of matrix products that no
            block boundary respects are left out.
    """
    return {f.node.name: choice for f in fuse(graph) if (choice := _choice(graph, f, mx_blocks)) is not None}


def cut_points(graph: Graph) -> list[str]:
    """Placeable nodes in topological order; a pipeline partition assigns non-decreasing devices along this list."""
    return [f.node.name for f in fuse(graph) if f.node.op not in (Op.INPUT, Op.CONSTANT)]


def is_depthwise(node: Node) -> bool:
    """A convolution with one input and one output channel per group."""
    weight = node.constants["weight"]
    return node.op is Op.CONV and node.attributes["groups"] == weight.shape[0] and weight.shape[3] == 1


def _choice(graph: Graph, fused: FusedNode, mx_blocks: Sequence[int]) -> LaneChoice | None:
    node = fused.node
    shapes = [graph.node(i).shape for i in node.inputs]
    match node.op:
        case Op.LINEAR:
            features = node.constants["weight"].shape[1]
            return LaneChoice(_whole_blocks(features, features, mx_blocks), divisors(node.shape.features), False)
        case Op.CONV if is_depthwise(node):
            return _tied(node.shape.features)
        case Op.CONV:
            outputs, kernel_h, kernel_w, channels = node.constants["weight"].shape
            groups = int(node.attributes["groups"])  # type: ignore[arg-type]
            inputs = _whole_blocks(channels, kernel_h * kernel_w * channels, mx_blocks)
            return LaneChoice(inputs, divisors(outputs // groups), False)
        case Op.MATMUL:
            heads = int(node.attributes["heads"])  # type: ignore[arg-type]
            return LaneChoice(divisors(shapes[0].features // heads), divisors(node.shape.features // heads), False)
        case Op.SOFTMAX:
            return _tied(int(node.attributes["size"]))  # type: ignore[arg-type]
        case Op.CONCAT if node.attributes["axis"] == len(node.shape.grid):
            return _tied(gcd(*(s.features for s in shapes)))
        case Op.SLICE if node.attributes["axis"] == len(node.shape.grid):
            start, stop = int(node.attributes["start"]), int(node.attributes["stop"])  # type: ignore[arg-type]
            return _tied(gcd(shapes[0].features, start, stop))
        case Op.PERMUTE:
            view, order = node.attributes["view"], node.attributes["order"]
            assert isinstance(view, tuple) and isinstance(order, tuple)
            return _tied(gcd(most_lanes(view, order), shapes[0].features, node.shape.features))
        case Op.INPUT | Op.CONSTANT | Op.RESHAPE:
            return None
        case _:
            return _tied(node.shape.features)


def _tied(features: int) -> LaneChoice:
    return LaneChoice(divisors(features), divisors(features), True)


def _whole_blocks(features: int, reduction: int, mx_blocks: Sequence[int]) -> tuple[int, ...]:
    """Divisors of ``features`` with which a beat never straddles two shared-exponent blocks."""
    fits = [
        lanes
        for lanes in divisors(features)
        if all(b % lanes == 0 or lanes % b == 0 or reduction <= b for b in mx_blocks)
    ]
    return tuple(fits)
