"""Small graphs for tests of the evaluation."""

import itertools

import numpy as np

from hwgen.model.graph import Graph, InputLayout, Node, OutputLayout
from hwgen.model.kinds.clamps import Relu
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.sources import Input
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory


def mlp(sizes=(8, 6, 3), seed=0):
    """A multi-layer perceptron with ReLU between the layers."""
    generator = np.random.default_rng(seed)
    nodes = [Node("x", Input((sizes[0],)), (), Shape((), sizes[0]))]
    last = "x"
    for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        weight = (generator.normal(size=(outputs, inputs)) / inputs**0.5).astype(np.float32)
        bias = (generator.normal(size=outputs) * 0.1).astype(np.float32)
        constants = in_memory({"weight": weight, "bias": bias})
        nodes.append(Node(f"fc{index}", Linear(), (last,), Shape((), outputs), constants))
        last = f"fc{index}"
        if index < len(sizes) - 2:
            nodes.append(Node(f"relu{index}", Relu(), (last,), Shape((), outputs)))
            last = f"relu{index}"
    layout = InputLayout("x", "x", (sizes[0],), (0,))
    return Graph(tuple(nodes), (layout,), (OutputLayout(last, "y", (sizes[-1],), (sizes[-1],), (0,)),))


def ids_model(vocabulary=11, tokens=4, features=6):
    """An embedding and a linear layer on token ids."""
    generator = np.random.default_rng(1)
    table = generator.normal(size=(vocabulary, features)).astype(np.float32)
    weight = generator.normal(size=(vocabulary, features)).astype(np.float32)
    nodes = (
        Node("ids", Input((tokens, 1)), (), Shape((tokens,), 1)),
        Node("embed", Embedding(), ("ids",), Shape((tokens,), features), in_memory({"table": table})),
        Node("head", Linear(), ("embed",), Shape((tokens,), vocabulary),
             in_memory({"weight": weight, "bias": np.zeros(vocabulary, np.float32)})),
    )  # fmt: skip
    layout = InputLayout("ids", "ids", (tokens,), (0,), integer=True)
    return Graph(nodes, (layout,), (OutputLayout("head", "y", (tokens, vocabulary), (tokens, vocabulary), (0, 1)),))
