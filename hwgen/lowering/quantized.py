"""The quantized graph: every tensor has an integer format and every constant is an integer. No lanes, no devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hwgen.model.graph import Graph, Node
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat, MxFormat
from hwgen.numbers.requantize import Requantize


@dataclass(frozen=True)
class QuantizedNode:
    """One node with its number formats.

    Attributes:
        node: the graph node (after fusing, the first node of the fused group).
        inputs: quantized nodes whose tensors it reads.
        format: words of its output tensor.
        result: how it makes those words from its exact sums; None for nodes that only move words.
        weight: format of its weights, None without.
        read_as: per input, the shared-exponent format in which a matrix product reads it; None reads integers.
        constants: integer constants, see ``quantize``.
        acc_bits: accumulator width where there is one.
    """

    node: Node
    inputs: tuple[str, ...]
    format: IntFormat
    result: Requantize | None = None
    weight: Format | None = None
    read_as: tuple[MxFormat | None, ...] = ()
    constants: Mapping[str, Array] = field(default_factory=dict)
    acc_bits: int = 0

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name


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
