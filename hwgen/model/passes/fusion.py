"""Which nodes disappear into others: clamps fuse into the node that makes their input."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.families import Clamp


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
        positive = (low is not None and low >= 0) or node.kind.non_negative(
            [non_negative[i] for i in inputs], node.tensors
        )
        non_negative[node.name] = positive
        groups.append(FusedNode(node, inputs, low, high, last.name, positive, last.name in output_tensors))
    return tuple(groups)


def _follow_clamps(graph: Graph, node: Node, output_tensors: set[str]) -> tuple[Node, float | None, float | None]:
    """The last node of the group that ``node`` begins, and the clamp of the group."""
    low, high = node.kind.limits if isinstance(node.kind, Clamp) else (None, None)
    if not node.kind.requantizes:
        return node, low, high
    while node.name not in output_tensors:
        consumers = graph.consumers(node.name)
        if len(consumers) != 1 or not isinstance(consumers[0].kind, Clamp):
            break
        node = consumers[0]
        next_low, next_high = consumers[0].kind.limits
        low = next_low if low is None else max(low, next_low) if next_low is not None else low
        high = next_high if high is None else min(high, next_high) if next_high is not None else high
    return node, low, high
