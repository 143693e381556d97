"""Small random networks with forks and joins, for tests of lowering and of whole designs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hwgen.hardware.streams import Words
from hwgen.lowering import (
    Calibration,
    Lanes,
    Precision,
    QuantizedGraph,
    cut_points,
    lane_choices,
    precision_choices,
    quantize_graph,
)
from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.clamps import Relu
from hwgen.model.kinds.concat import Concat
from hwgen.model.kinds.conv import Conv
from hwgen.model.kinds.kind import Kind
from hwgen.model.kinds.layout import Reshape
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.sources import Input
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, quantize


@dataclass
class NetworkMaker:
    """Adds nodes with random weights; every method returns the name of the new tensor."""

    generator: np.random.Generator
    nodes: list[Node] = field(default_factory=list)

    def put(self, kind: Kind, *inputs: str, **tensors: Array) -> str:
        """A node of ``kind``, which knows its shape."""
        name = f"{kind.name}{len(self.nodes)}"
        handles = in_memory(tensors)
        shape = kind.shape([self.shape(i) for i in inputs], handles)
        self.nodes.append(Node(name, kind, inputs, shape, handles))
        return name

    def shape(self, name: str) -> Shape:
        return next(n.shape for n in self.nodes if n.name == name)

    def normal(self, *dims: int) -> Array:
        scale = 1 / np.sqrt(np.prod(dims[1:]) if len(dims) > 1 else 10)
        return self.generator.normal(0, scale, dims).astype(np.float32)

    def input(self, grid: tuple[int, ...], features: int) -> str:
        return self.put(Input((*grid, features)))

    def linear(self, source: str, features: int) -> str:
        shape = self.shape(source)
        weight = self.normal(features, shape.features)
        return self.put(Linear(), source, weight=weight, bias=self.normal(features))

    def conv(self, source: str, features: int, kernel: tuple[int, int], stride: int = 1, groups: int = 1) -> str:
        shape = self.shape(source)
        pads = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2, kernel[0] // 2, kernel[1] // 2)
        weight = self.normal(features, *kernel, shape.features // groups)
        kind = Conv((stride, stride), pads, (1, 1), groups)
        return self.put(kind, source, weight=weight, bias=self.normal(features))

    def relu(self, source: str) -> str:
        return self.put(Relu(), source)

    def add(self, a: str, b: str) -> str:
        return self.put(Add(), a, b)

    def mul(self, a: str, b: str) -> str:
        return self.put(Multiply(), a, b)

    def concat(self, a: str, b: str) -> str:
        return self.put(Concat(len(self.shape(a).grid)), a, b)

    def flatten(self, source: str) -> str:
        return self.put(Reshape((self.shape(source).elements,)), source)

    def graph(self, output: str) -> Graph:
        inputs = tuple(
            InputLayout(n.name, n.name, n.shape.dims, tuple(range(len(n.shape.dims))))
            for n in self.nodes
            if isinstance(n.kind, Input)
        )
        dims = self.shape(output).dims
        return Graph(tuple(self.nodes), inputs, (OutputLayout(output, "y", dims, dims, tuple(range(len(dims)))),))


def random_network(seed: int) -> Graph:
    """A network of 4 to 8 operators with at least one fork and join."""
    generator = np.random.default_rng(seed)
    maker = NetworkMaker(generator)
    image = bool(generator.integers(2))
    width = int(generator.choice([2, 3, 4, 6]))
    grid = (int(generator.integers(3, 7)), int(generator.integers(3, 7))) if image else ()
    x = maker.input(grid, width)
    for _ in range(int(generator.integers(1, 3))):
        x = _residual_block(maker, x, width)
    if image:
        x = maker.flatten(x)
    return maker.graph(maker.linear(x, int(generator.integers(2, 6))))


def _residual_block(maker: NetworkMaker, x: str, width: int) -> str:
    image = bool(maker.shape(x).grid)

    def layer(source: str) -> str:
        made = (
            maker.conv(source, width, (3, 3)) if image and maker.generator.integers(2) else maker.linear(source, width)
        )
        return maker.relu(made) if maker.generator.integers(2) else made

    left = layer(layer(x)) if maker.generator.integers(2) else layer(x)
    right = x if maker.generator.integers(2) else layer(x)
    match int(maker.generator.integers(3)):
        case 0:
            return maker.relu(maker.add(left, right))
        case 1:
            return maker.linear(maker.concat(left, right), width)
        case _:
            return maker.mul(left, right)


@dataclass(frozen=True)
class Sample:
    """A quantized network with a candidate's lanes and devices, and input words."""

    graph: Graph
    quantized: QuantizedGraph
    lanes: dict[str, Lanes]
    devices: dict[str, int]
    inputs: dict[str, Words]


def random_candidate(graph: Graph, seed: int, samples: int = 3, devices: int = 1, weight: str = "int4") -> Sample:
    """Random formats, lanes and a random cut for ``graph``."""
    generator = np.random.default_rng(seed)
    tensors = {
        i.node: generator.normal(0, 1, (32, *graph.node(i.node).shape.dims)).astype(np.float32) for i in graph.inputs
    }
    precisions = {
        name: Precision(
            Format.parse(weight) if choice.has_weight else None,
            Format.parse(choice.fixed_activation or f"int{generator.integers(3, 9)}"),
        )
        for name, choice in precision_choices(graph).items()
    }
    quantized = quantize_graph(graph, precisions, Calibration.collect(graph, tensors))
    lanes = {}
    for name, choice in lane_choices(graph).items():
        first = int(generator.choice(choice.in_lanes))
        lanes[name] = Lanes(first, first if choice.tied else int(generator.choice(choice.out_lanes)))
    order = cut_points(graph)
    cuts = np.sort(generator.integers(0, len(order) + 1, devices - 1))
    placed = {name: int(np.searchsorted(cuts, index, side="right")) for index, name in enumerate(order)}
    words = {}
    for name, tensor in tensors.items():
        shape = graph.node(name).shape
        stored = quantize(tensor[:samples], quantized.by_name[name].format)
        words[name] = Words(stored.reshape(samples, shape.tokens, shape.features))
    return Sample(graph, quantized, lanes, placed, words)
