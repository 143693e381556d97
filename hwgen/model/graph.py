"""The graph: float operators on feature-last tensors.

Every tensor has a *grid* (row-major positions: image rows and columns, or tokens) and *features* (innermost).
That order is the order of its stream in hardware, so a layout change in the source model is absorbed by the
importer (it permutes weights) and never becomes hardware unless it really moves data. There is no batch axis.

Node and tensor names are legal identifiers made by the importer; the source model's own names are kept only as
data in ``Node.source``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hwgen.model import tensor_file
from hwgen.model.kinds.kind import Kind, from_attributes
from hwgen.model.outputs import ModelOutput, SoftwareStep
from hwgen.model.shape import Shape
from hwgen.model.tensors import Tensor


@dataclass(frozen=True)
class Node:
    """One operator and the tensor that it makes; the tensor has the node's name.

    Attributes:
        name: legal identifier, unique.
        kind: the operator, with its attributes.
        inputs: names of the nodes whose tensors it reads.
        shape: shape of its output.
        tensors: constant tensors by the kind's ``tensor_names``; float32.
        source: the source model's own name of the node, for messages only.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    shape: Shape
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class InputLayout:
    """How the user's array for one input becomes the feature-last tensor.

    Attributes:
        node: the input node.
        source: the source model's name of the input (``input_<name>`` in a data set).
        shape: the source model's shape of one sample, without the batch axis.
        order: permutation of ``shape`` axes that gives ``(*grid, features)`` after a reshape.
        integer: True when the input holds token ids.
    """

    node: str
    source: str
    shape: tuple[int, ...]
    order: tuple[int, ...]
    integer: bool = False


@dataclass(frozen=True)
class OutputLayout:
    """How a feature-last output becomes the source array: reshape to ``view``, transpose, reshape to ``shape``."""

    node: str
    source: str
    shape: tuple[int, ...]
    view: tuple[int, ...]
    order: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order, with the layouts that tie inputs and outputs to the source model.

    Attributes:
        nodes: what becomes hardware.
        inputs: its inputs.
        outputs: its outputs, each tensor once.
        tails: the source model's outputs; none where they are ``outputs`` themselves.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[InputLayout, ...]
    outputs: tuple[OutputLayout, ...]
    tails: tuple[ModelOutput, ...] = ()

    @property
    def results(self) -> tuple[ModelOutput, ...]:
        """The source model's outputs, in its order."""
        return self.tails or tuple(ModelOutput(o.source, i, o.shape) for i, o in enumerate(self.outputs))

    @property
    def software(self) -> tuple[dict[str, str], ...]:
        """``node``, ``operator``, ``reason`` and (first) ``output`` of each operator that needs no hardware."""
        found: dict[str, dict[str, str]] = {}
        for output in self.tails:
            for step in (s for s in output.steps if s.reason):
                entry = {"node": step.node, "operator": step.operator, "reason": step.reason, "output": output.name}
                found.setdefault(step.node, entry)
        return tuple(found.values())

    def node(self, name: str) -> Node:
        """The node called ``name``; raises KeyError."""
        return self.by_name[name]

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Nodes by name."""
        return {n.name: n for n in self.nodes}

    @cached_property
    def _readers(self) -> dict[str, list[Node]]:
        readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                readers.setdefault(name, []).append(node)
        return readers

    def consumers(self, name: str) -> tuple[Node, ...]:
        """Nodes that read the tensor ``name``, once per use, in the order of the graph."""
        return tuple(self._readers.get(name, ()))

    def operand_shapes(self, node: Node) -> list[Shape]:
        """Shapes of the tensors that ``node`` reads."""
        return [self.by_name[name].shape for name in node.inputs]

    def macs(self, node: Node) -> int:
        """Multiply-accumulates of ``node`` in one inference."""
        return node.kind.macs(self.operand_shapes(node), node.tensors, node.shape)

    def save(self, path: Path) -> None:
        """Write the canonical file (see ``hwgen.model.tensor_file``): equal graphs give equal bytes."""
        tensors: list[Tensor] = []
        nodes = []
        for node in self.nodes:
            nodes.append(_node_header(node, len(tensors)))
            tensors += [node.tensors[key] for key in node.kind.tensor_names]
        header = {
            "nodes": nodes,
            "inputs": [vars(i) for i in self.inputs],
            "outputs": [vars(o) for o in self.outputs],
            "tails": [asdict(t) for t in self.tails],
        }
        tensor_file.write(path, header, tensors)

    @staticmethod
    def load(path: Path) -> Graph:
        """Read a file written by ``save``; the weights stay in the file until they are used.

        Raises:
            IllegalGraph: the file is of another version, or damaged.
        """
        header, tensors = tensor_file.read(path)
        return Graph(
            tuple(_node(entry, tensors) for entry in header["nodes"]),
            tuple(InputLayout(**_tuples(i)) for i in header["inputs"]),
            tuple(OutputLayout(**_tuples(o)) for o in header["outputs"]),
            tuple(_model_output(t) for t in header["tails"]),
        )


def _node_header(node: Node, first_tensor: int) -> dict[str, Any]:
    return {
        "name": node.name,
        "kind": node.kind.name,
        "attributes": node.kind.attributes,
        "inputs": node.inputs,
        "dims": node.shape.dims,
        "first_tensor": first_tensor,
        "source": node.source,
    }


def _node(entry: dict[str, Any], tensors: list[Tensor]) -> Node:
    kind = from_attributes(entry["kind"], entry["attributes"])
    first = entry["first_tensor"]
    return Node(
        name=entry["name"],
        kind=kind,
        inputs=tuple(entry["inputs"]),
        shape=Shape.of(entry["dims"]),
        tensors=dict(zip(kind.tensor_names, tensors[first : first + len(kind.tensor_names)], strict=True)),
        source=entry["source"],
    )


def _model_output(data: dict[str, Any]) -> ModelOutput:
    steps = tuple(SoftwareStep(**_tuples(step)) for step in data["steps"])
    return ModelOutput(data["name"], data["index"], tuple(data["shape"]), steps)


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
