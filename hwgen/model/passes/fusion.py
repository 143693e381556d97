"""Which nodes disappear into others: clamps fuse into the node that makes their input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.model.graph import Graph, Node, Op

# These end in a requantisation, whose clamp can be the activation function.
REQUANTIZING = frozenset({Op.LINEAR, Op.CONV, Op.ADD, Op.MUL, Op.AVERAGE_POOL, Op.LAYER_NORM, Op.MATMUL})
# These hand on words of their input in its own format.
MOVING = frozenset({Op.MAX_POOL, Op.SLICE, Op.RESHAPE, Op.PERMUTE})
_NON_NEGATIVE_FUNCTIONS = frozenset({"sigmoid", "hard_sigmoid", "exp", "relu", "softplus"})


@dataclass(frozen=True)
class FusedNode:
    """A node, its real-valued clamp, and the name of the float tensor that it finally makes.

    Attributes:
        node: the first node of the group; its name is the group's name.
        inputs: names of the groups that it reads.
        low, high: clamp in real values, None where there is none.
        tensor: float tensor after the clamp.
        non_negative: the tensor cannot be negative, so its words are unsigned.
        is_output: an output of the graph reads it.
    """

    node: Node
    inputs: tuple[str, ...]
    low: float | None
    high: float | None
    tensor: str
    non_negative: bool
    is_output: bool


def fuse(graph: Graph) -> tuple[FusedNode, ...]:
    """Group the nodes of a graph, in topological order."""
    group_of: dict[str, str] = {}
    groups: list[FusedNode] = []
    non_negative: dict[str, bool] = {}
    output_tensors = {o.node for o in graph.outputs}
    absorbed: set[str] = set()
    for node in graph.nodes:
        if node.name in absorbed:
            continue
        last, low, high = _follow_clamps(graph, node, output_tensors)
        member = node
        while member is not last:
            member = graph.consumers(member.name)[0]
            absorbed.add(member.name)
            group_of[member.name] = node.name
        group_of[node.name] = node.name
        inputs = tuple(group_of[i] for i in node.inputs)
        positive = (low is not None and low >= 0) or _is_non_negative(node, [non_negative[i] for i in inputs])
        non_negative[node.name] = positive
        groups.append(FusedNode(node, inputs, low, high, last.name, positive, last.name in output_tensors))
    return tuple(groups)


def _follow_clamps(graph: Graph, node: Node, output_tensors: set[str]) -> tuple[Node, float | None, float | None]:
    low, high = clamp_of(node)
    if node.op not in REQUANTIZING:
        return node, low, high
    while node.name not in output_tensors:
        consumers = graph.consumers(node.name)
        if len(consumers) != 1 or consumers[0].op not in (Op.RELU, Op.CLIP):
            break
        node = consumers[0]
        next_low, next_high = clamp_of(node)
        low = next_low if low is None else max(low, next_low) if next_low is not None else low
        high = next_high if high is None else min(high, next_high) if next_high is not None else high
    return node, low, high


def clamp_of(node: Node) -> tuple[float | None, float | None]:
    """The clamp that a ReLU or Clip node is; (None, None) for any other node."""
    if node.op is Op.RELU:
        return 0.0, None
    if node.op is Op.CLIP:
        return _bound(node.attributes, "low"), _bound(node.attributes, "high")
    return None, None


def _bound(attributes: Mapping[str, object], key: str) -> float | None:
    value = attributes.get(key)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e30 else None


def _is_non_negative(node: Node, inputs: list[bool]) -> bool:
    if node.op is Op.SOFTMAX:
        return True
    if node.op is Op.POINTWISE:
        return node.attributes["function"] in _NON_NEGATIVE_FUNCTIONS
    if node.op in MOVING or node.op in (Op.AVERAGE_POOL, Op.CONCAT, Op.ADD, Op.MUL, Op.RELU, Op.CLIP):
        return bool(inputs) and all(inputs)
    if node.op is Op.CONSTANT:
        return bool((node.constants["value"] >= 0).all())
    return False
