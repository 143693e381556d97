"""Tensor parallelism: a quantized graph whose products are split over shards, with exactly the words of the whole one.

A *group* begins with linear layers split by rows of their weights: each shard makes a slice of the features. It goes on
through operators that work on slices, and ends in a linear layer split by columns of its weights: each shard multiplies
its slice and hands on exact partial sums, which are added and requantized once. A linear layer in no such group is
split alone and its slices are concatenated. Formats, scales and words of all other tensors stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hwgen.errors import IllegalGraph
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.operators.to_mx import ToMx
from hwgen.lowering.kinds.lowering import Shard, lowering_of
from hwgen.lowering.parts import Part
from hwgen.lowering.quantized import Origin, QuantizedGraph, QuantizedNode
from hwgen.lowering.sums import bounded_products, total
from hwgen.model.graph import Node
from hwgen.model.kinds.concat import Concat
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.sources import Constant
from hwgen.model.shape import Shape
from hwgen.numbers.formats import IntFormat


@dataclass(frozen=True)
class TensorGroup:
    """Nodes that are split together.

    Attributes:
        slices: nodes of which each shard makes a slice of the features, in topological order, constants included.
        last: the linear layer whose shards make partial sums; None: the slices of the only node are concatenated.
    """

    slices: tuple[str, ...]
    last: str | None

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of its nodes."""
        return (*self.slices, self.last) if self.last else self.slices


def tensor_groups(graph: QuantizedGraph, ways: int) -> tuple[TensorGroup, ...]:
    """The groups that can be split ``ways`` ways: greedily from the inputs on, no node in two of them."""
    groups: list[TensorGroup] = []
    taken: set[str] = set()
    for node in graph.nodes:
        slices = _cone(graph, node, ways, taken)
        if slices:
            groups.append(TensorGroup(slices, node.name))
            taken |= set(groups[-1].nodes)
    for node in graph.nodes:
        if isinstance(node.node.kind, Linear) and node.name not in taken and _slice(node, ways, 0) is not None:
            groups.append(TensorGroup((node.name,), None))
    return tuple(groups)


def shard_graph(graph: QuantizedGraph, ways: int) -> QuantizedGraph:
    """The graph with all its groups split ``ways`` ways; 1 leaves it as it is.

    Shards are called ``<node>_s0`` and so on; what joins them keeps the name of the node whose tensor it makes.

    Raises:
        IllegalGraph: no group can be split so, or partial sums do not fit the widest words of a stream.
    """
    if ways == 1:
        return graph
    groups = tensor_groups(graph, ways)
    if not groups:
        raise IllegalGraph(f"no linear layer of this graph can be split {ways} ways; choose a divisor of its features")
    group_of = {name: group for group in groups for name in group.nodes}
    nodes: list[QuantizedNode] = []
    for node in graph.nodes:
        group = group_of.get(node.name)
        if group is None:
            nodes.append(node)
            continue
        if isinstance(node.node.kind, Constant):
            nodes.append(node)  # others may read it whole
        nodes += _split(graph, node, group, ways)
    return replace(graph, nodes=tuple(nodes))


def _split(graph: QuantizedGraph, node: QuantizedNode, group: TensorGroup, ways: int) -> Iterator[QuantizedNode]:
    """The shards of a node, and what joins them at the end of a group."""
    if node.name == group.last:
        products = bounded_products(node, ways)
        shards = [_named(node, products.shard(i), node.shape, i, node.inputs) for i in range(ways)]
        yield from shards
        yield from total(node, shards, products)
        return
    shape = Shape(node.shape.grid, node.shape.features // ways)
    shards = []
    for index in range(ways):
        made = _slice(node, ways, index)
        assert made is not None
        own = Shape(node.shape.grid, 1) if node.shape.features == 1 else shape
        shards.append(_named(node, made, own, index, () if isinstance(node.node.kind, Linear) else node.inputs))
    yield from shards
    if group.last is None:
        yield _joined(node, shards)


def _named(node: QuantizedNode, made: Shard, shape: Shape, index: int, sliced: Sequence[str]) -> QuantizedNode:
    """Shard ``index`` of a node; of its inputs it reads the shard where they are ``sliced``."""
    kind, parts = made
    inputs = tuple(f"{name}_s{index}" if name in sliced else name for name in node.inputs)
    own = replace(node.node, name=f"{node.name}_s{index}", kind=kind, shape=shape, inputs=inputs)
    return replace(node, node=own, inputs=inputs, format=_words(parts), parts=parts, origin=Origin(node.name, index))


def _words(parts: Sequence[Part]) -> IntFormat:
    """What the last operator makes: the node's words, or exact sums instead."""
    made = parts[-1].operator.outputs["out"].format
    assert isinstance(made, IntFormat)
    return made


def _joined(node: QuantizedNode, shards: Sequence[QuantizedNode]) -> QuantizedNode:
    inputs = tuple(shard.name for shard in shards)
    own = Node(node.name, Concat(len(node.shape.grid)), inputs, node.shape)
    return QuantizedNode(own, inputs, node.format, node.shared, origin=Origin(node.name, 0, joins=True))


def _slice(node: QuantizedNode, ways: int, index: int) -> Shard | None:
    kind = node.node.kind
    return lowering_of(kind).shard(kind, node, ways, index)


def _cone(graph: QuantizedGraph, last: QuantizedNode, ways: int, taken: set[str]) -> tuple[str, ...]:
    """What lies between linear layers that can be split by rows and ``last``, those included; empty where nothing."""
    if not isinstance(last.node.kind, Linear) or not _divides_reduction(last, ways):
        return ()
    found: set[str] = set()
    waiting = list(last.inputs)
    while waiting:
        node = graph.by_name[waiting.pop()]
        if node.name in found:
            continue
        if node.name in taken or _slice(node, ways, 0) is None:
            return ()
        if not isinstance(node.node.kind, Linear):
            if not _aligned(graph, node):
                return ()
            waiting += node.inputs
        found.add(node.name)
    inside = {*found, last.name}
    for node in graph.nodes:
        if node.name not in inside and any(name in found and not _constant(graph, name) for name in node.inputs):
            return ()
    if found & set(graph.outputs) or all(_constant(graph, name) for name in found):
        return ()
    return tuple(node.name for node in graph.nodes if node.name in found)


def _constant(graph: QuantizedGraph, name: str) -> bool:
    return isinstance(graph.by_name[name].node.kind, Constant)


def _aligned(graph: QuantizedGraph, node: QuantizedNode) -> bool:
    """Whether no operand is a stream of one feature that the node spreads over all of its own."""
    operands = graph.operands(node)
    return all(o.shape.features > 1 or isinstance(o.node.kind, Constant) for o in operands)


def _divides_reduction(node: QuantizedNode, ways: int) -> bool:
    """Whether slices of the operand have whole features and whole blocks of shared exponents."""
    *convert, products = node.parts
    assert isinstance(products.operator, Matvec)
    features = products.operator.in_features
    blocks = [p.operator.target.block for p in convert if isinstance(p.operator, ToMx)]
    blocks.append(products.operator.weight.block)
    return features % ways == 0 and all(block == 0 or features // ways % block == 0 for block in blocks)
