"""The graph IR: a small closed set of float operators on feature-last tensors.

Every tensor has a *grid* (row-major positions: image rows and columns, or tokens) and *features* (innermost).
That order is the order of its stream in hardware, so a layout change in the source model is absorbed by the
importer (it permutes weights) and never becomes hardware unless it really moves data. There is no batch axis.

Node and tensor names are legal identifiers made by the importer; the source model's own names are kept only as
data in ``Node.source``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.model.outputs import ModelOutput, SoftwareStep
from hwgen.numbers.arrays import Array

Attribute: TypeAlias = int | float | str | bool | tuple[int, ...]


class Op(StrEnum):
    """The operators of the IR. ``ATTRIBUTES`` and ``CONSTANTS`` below say what each one carries."""

    INPUT = "input"
    CONSTANT = "constant"
    LINEAR = "linear"
    CONV = "conv"
    MAX_POOL = "max_pool"
    AVERAGE_POOL = "average_pool"
    ADD = "add"
    MUL = "mul"
    RELU = "relu"
    CLIP = "clip"
    POINTWISE = "pointwise"
    SOFTMAX = "softmax"
    LAYER_NORM = "layer_norm"
    MATMUL = "matmul"
    EMBEDDING = "embedding"
    CONCAT = "concat"
    SLICE = "slice"
    RESHAPE = "reshape"
    PERMUTE = "permute"


ATTRIBUTES: Mapping[Op, tuple[str, ...]] = {
    # pads is (top, left, bottom, right); one-dimensional convolutions and pools have a grid of (1, length).
    Op.CONV: ("strides", "pads", "dilations", "groups"),
    Op.MAX_POOL: ("kernel", "strides", "pads", "dilations", "ceil_mode"),
    Op.AVERAGE_POOL: ("kernel", "strides", "pads", "ceil_mode", "count_include_pad"),
    Op.CLIP: ("low", "high"),
    # function: a name of hwgen.model.pointwise.POINTWISE; alpha: its parameter, 0 where it has none
    Op.POINTWISE: ("function", "alpha"),
    # softmax over groups of `size` consecutive features; causal keeps entry s of token t only for s <= t
    Op.SOFTMAX: ("size", "causal"),
    Op.LAYER_NORM: ("epsilon",),
    # a: tokens (Ta, heads*K). transpose_b: b is (Tb, heads*K) and out[t, h*Tb+s] = sum_k a[t,h,k] b[s,h,k];
    # otherwise a is (Ta, heads*Tb), b is (Tb, heads*N) and out[t, h*N+n] = sum_s a[t,h,s] b[s,h,n]
    Op.MATMUL: ("heads", "transpose_b"),
    # axis counts the grid axes, then features: axis == len(grid) is the feature axis
    Op.CONCAT: ("axis",),
    Op.SLICE: ("axis", "start", "stop"),
    # order: permutation of the axes of `view`, a factorisation of the whole tensor in stream order
    Op.PERMUTE: ("view", "order"),
}

CONSTANTS: Mapping[Op, tuple[str, ...]] = {
    Op.CONSTANT: ("value",),  # (*grid, features)
    Op.LINEAR: ("weight", "bias"),  # (out_features, in_features), (out_features,)
    Op.CONV: ("weight", "bias"),  # (out_channels, kernel_h, kernel_w, in_channels // groups), (out_channels,)
    Op.LAYER_NORM: ("gamma", "beta"),  # (features,)
    Op.EMBEDDING: ("table",),  # (vocabulary, features); the input is one feature of integer ids
}


@dataclass(frozen=True)
class Shape:
    """Grid positions, row-major, then features."""

    grid: tuple[int, ...]
    features: int

    @property
    def tokens(self) -> int:
        """Number of grid positions (1 for an empty grid)."""
        return int(np.prod(self.grid, dtype=np.int64)) if self.grid else 1

    @property
    def elements(self) -> int:
        """Number of elements."""
        return self.tokens * self.features

    @property
    def dims(self) -> tuple[int, ...]:
        """Array dimensions without the sample axis: ``(*grid, features)``."""
        return (*self.grid, self.features)


@dataclass(frozen=True)
class Node:
    """One operator and the tensor that it makes; the tensor has the node's name.

    Attributes:
        name: legal identifier, unique.
        op: the operator.
        inputs: names of the nodes whose tensors it reads.
        shape: shape of its output.
        attributes: see ``ATTRIBUTES``.
        constants: see ``CONSTANTS``; float32 arrays.
        source: the source model's own name of the node, for messages only.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: Shape
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    constants: Mapping[str, Array] = field(default_factory=dict)
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

    def save(self, path: Path) -> None:
        """Write the canonical file: one ``.npz`` of the constants plus a JSON header, no pickle, deterministic."""
        header, arrays = _to_header(self)
        arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        path.write_bytes(buffer.getvalue())

    @staticmethod
    def load(path: Path) -> Graph:
        """Read a file written by ``save``."""
        with np.load(path, allow_pickle=False) as data:
            header = json.loads(bytes(data["header"]))
            return _from_header(header, {name: data[name] for name in data.files if name != "header"})


def _to_header(graph: Graph) -> tuple[dict[str, Any], dict[str, Array]]:
    arrays: dict[str, Array] = {}
    nodes = []
    for index, node in enumerate(graph.nodes):
        for key, value in node.constants.items():
            arrays[f"n{index}_{key}"] = value
        nodes.append(
            {
                "name": node.name,
                "op": node.op.value,
                "inputs": list(node.inputs),
                "grid": list(node.shape.grid),
                "features": node.shape.features,
                "attributes": {k: list(v) if isinstance(v, tuple) else v for k, v in node.attributes.items()},
                "constants": sorted(node.constants),
                "source": node.source,
            }
        )
    layouts = {
        "inputs": [vars(i) for i in graph.inputs],
        "outputs": [vars(o) for o in graph.outputs],
        "tails": [asdict(t) for t in graph.tails],
    }
    return {"nodes": nodes, **layouts}, arrays


def _from_header(header: dict[str, Any], arrays: dict[str, Array]) -> Graph:
    nodes = tuple(
        Node(
            name=n["name"],
            op=Op(n["op"]),
            inputs=tuple(n["inputs"]),
            shape=Shape(tuple(n["grid"]), n["features"]),
            attributes={k: tuple(v) if isinstance(v, list) else v for k, v in n["attributes"].items()},
            constants={k: arrays[f"n{index}_{k}"] for k in n["constants"]},
            source=n["source"],
        )
        for index, n in enumerate(header["nodes"])
    )
    layouts: list[list[dict[str, Any]]] = [
        [{k: tuple(v) if isinstance(v, list) else v for k, v in item.items()} for item in header[key]]
        for key in ("inputs", "outputs")
    ]
    if header.get("software"):
        raise IllegalGraph(
            "an earlier release stored the model and did not keep what runs in software: upload its file again"
        )
    return Graph(
        nodes,
        tuple(InputLayout(**i) for i in layouts[0]),
        tuple(OutputLayout(**o) for o in layouts[1]),
        tuple(_model_output(t) for t in header.get("tails", ())),
    )


def _model_output(data: Mapping[str, Any]) -> ModelOutput:
    steps = tuple(SoftwareStep(**{**step, "axes": tuple(step["axes"])}) for step in data["steps"])
    return ModelOutput(data["name"], data["index"], tuple(data["shape"]), steps)
