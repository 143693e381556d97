"""The quantized graph: every tensor has an integer format and every constant is an integer. No devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hwgen.lowering.parts import Part
from hwgen.model.graph import Graph, Node
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat


@dataclass(frozen=True)
class Origin:
    """Which node of the float graph a node made by sharding stands for.

    Attributes:
        node: its name; lanes, devices and reports go by it.
        shard: number of the shard; what joins shards is with shard 0.
        joins: it joins shards, with the lanes of the node's output.
    """

    node: str
    shard: int
    joins: bool = False


@dataclass(frozen=True)
class QuantizedNode:
    """One node with everything that its number formats decide.

    Attributes:
        node: the graph node (after fusing, the first node of the fused group).
        inputs: quantized nodes whose tensors it reads.
        format: words of its output tensor.
        shared: the shared-exponent format in which a matrix product reads its tensor; None: as integers.
        parts: the operators whose widths and constants follow from formats, at one element per cycle. Lowering sets
            their lanes and adds what only moves words.
        origin: of a node made by sharding; None: it is a node of the float graph itself.
    """

    node: Node
    inputs: tuple[str, ...]
    format: IntFormat
    shared: Format | None = None
    parts: tuple[Part, ...] = ()
    origin: Origin | None = None

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def source(self) -> str:
        """The node of the float graph that it belongs to."""
        return self.origin.node if self.origin else self.name

    @property
    def shape(self) -> Shape:
        """Shape of its tensor."""
        return self.node.shape

    @property
    def contents(self) -> Mapping[str, Array]:
        """Integer constants of the last part, which makes the node's tensor."""
        return self.parts[-1].contents


@dataclass(frozen=True)
class QuantizedGraph:
    """Quantized nodes in topological order; ``outputs`` are the nodes that the graph's outputs read."""

    graph: Graph
    nodes: tuple[QuantizedNode, ...]
    outputs: tuple[str, ...]

    @cached_property
    def by_name(self) -> dict[str, QuantizedNode]:
        """Nodes by name."""
        return {n.name: n for n in self.nodes}

    def operands(self, node: QuantizedNode) -> list[QuantizedNode]:
        """The nodes whose tensors ``node`` reads."""
        return [self.by_name[name] for name in node.inputs]
