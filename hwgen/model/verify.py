"""What is legal in a graph, as a table of rules per stage; every stage checks its input before it works on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.layout import Reshape, permutes
from hwgen.model.kinds.slice import Slice
from hwgen.model.kinds.sources import Input

NodeRule: TypeAlias = Callable[[Graph, Node, Mapping[str, Node]], str | None]
GraphRule: TypeAlias = Callable[[Graph], str | None]

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")


def verify_imported(graph: Graph) -> None:
    """Check a graph as the importer leaves it.

    Raises:
        IllegalGraph: the first rule that is broken, with the node.
    """
    verify(graph, IMPORTED_GRAPH_RULES, IMPORTED_NODE_RULES)


def verify(graph: Graph, graph_rules: Mapping[str, GraphRule], node_rules: Mapping[str, NodeRule]) -> None:
    """Check a graph against a stage's table of rules: those on the whole first, then those on each node in order.

    Raises:
        IllegalGraph: the first rule that is broken, with the node.
    """
    for rule_name, graph_rule in graph_rules.items():
        problem = graph_rule(graph)
        if problem is not None:
            raise IllegalGraph(f"{rule_name}: {problem}")
    earlier: dict[str, Node] = {}
    for node in graph.nodes:
        for rule_name, node_rule in node_rules.items():
            problem = node_rule(graph, node, earlier)
            if problem is not None:
                raise IllegalGraph(f"{node.name} ({node.kind.name}): {rule_name}: {problem}")
        earlier[node.name] = node


def _defined_once(graph: Graph) -> str | None:
    names = [n.name for n in graph.nodes]
    twice = (
        next((n for i, n in enumerate(names) if n in set(names[:i])), None) if len(set(names)) != len(names) else None
    )
    return None if twice is None else f"{twice} is defined twice"


def _inputs_have_layouts(graph: Graph) -> str | None:
    nodes = {n.name: n for n in graph.nodes}
    declared = [i.node for i in graph.inputs]
    present = [n.name for n in graph.nodes if isinstance(n.kind, Input)]
    if sorted(declared) != sorted(present):
        return f"layouts for {declared}, input nodes {present}"
    for layout in graph.inputs:
        if not permutes(layout.shape, layout.order, nodes[layout.node].shape.elements):
            return f"{layout.node}: order {layout.order} of {layout.shape} for {nodes[layout.node].shape.dims}"
    return None


def _outputs_have_layouts(graph: Graph) -> str | None:
    nodes = {n.name: n for n in graph.nodes}
    if not graph.outputs:
        return "no output"
    for layout in graph.outputs:
        if layout.node not in nodes:
            return f"{layout.node} is no node"
        if not permutes(layout.view, layout.order, nodes[layout.node].shape.elements):
            return f"{layout.node}: order {layout.order} of {layout.view} for {nodes[layout.node].shape.dims}"
        if int(np.prod(layout.shape, dtype=np.int64)) != nodes[layout.node].shape.elements:
            return f"{layout.node}: source shape {layout.shape} for {nodes[layout.node].shape.dims}"
    return None


def _legal_name(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    return None if _IDENTIFIER.fullmatch(node.name) else "needs a lower-case identifier of at most 63 characters"


def _inputs_come_first(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    missing = [i for i in node.inputs if i not in earlier]
    return f"reads {missing[0]}, which is not defined before it" if missing else None


def _number_of_inputs(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    return node.kind.arity.problem(len(node.inputs))


def _tensors_present(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    wanted = set(node.kind.tensor_names)
    if set(node.tensors) != wanted:
        return f"has {sorted(node.tensors)}, needs {sorted(wanted)}"
    for key, tensor in node.tensors.items():
        if tensor.dtype != np.float32 or not np.isfinite(tensor.read()).all():
            return f"{key} must hold finite float32 values"
    return None


def _shape_agrees(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    if min(node.shape.dims) < 1:
        return f"the shape {node.shape.dims} has an empty axis"
    try:
        shape = node.kind.shape([earlier[i].shape for i in node.inputs], node.tensors)
    except IllegalGraph as error:
        return str(error)
    return None if shape == node.shape else f"{node.shape.dims} where {shape.dims} is computed"


def _ids_are_inputs(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    if not isinstance(node.kind, Embedding):
        return None
    source = earlier[node.inputs[0]]
    while isinstance(source.kind, Reshape | Slice):
        source = earlier[source.inputs[0]]
    return None if isinstance(source.kind, Input) else "token ids come from an input"


IMPORTED_GRAPH_RULES: Mapping[str, GraphRule] = {
    "every tensor is defined once": _defined_once,
    "every input has a layout": _inputs_have_layouts,
    "every output has a layout": _outputs_have_layouts,
}

IMPORTED_NODE_RULES: Mapping[str, NodeRule] = {
    "names are legal": _legal_name,
    "nodes are in topological order": _inputs_come_first,
    "operators have their inputs": _number_of_inputs,
    "operators have their constants": _tensors_present,
    "shapes agree": _shape_agrees,
    "token ids are inputs": _ids_are_inputs,
}
