"""What is legal in a graph, as a table of rules per stage; every stage checks its input before it works on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.model.graph import ATTRIBUTES, CONSTANTS, Graph, Node, Op
from hwgen.model.pointwise import POINTWISE
from hwgen.model.shapes import integers, output_shape, permutes, real

NodeRule: TypeAlias = Callable[[Graph, Node, Mapping[str, Node]], str | None]
GraphRule: TypeAlias = Callable[[Graph], str | None]

_ARITY: Mapping[Op, int] = {Op.INPUT: 0, Op.CONSTANT: 0, Op.ADD: 2, Op.MUL: 2, Op.MATMUL: 2}
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
                raise IllegalGraph(f"{node.name} ({node.op.value}): {rule_name}: {problem}")
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
    present = [n.name for n in graph.nodes if n.op is Op.INPUT]
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
    if node.op is Op.CONCAT:
        return None if len(node.inputs) >= 2 else "joins at least two tensors"
    wanted = _ARITY.get(node.op, 1)
    return None if len(node.inputs) == wanted else f"has {len(node.inputs)} inputs, not {wanted}"


def _attributes_present(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    wanted = set(ATTRIBUTES.get(node.op, ()))
    return None if set(node.attributes) == wanted else f"has {sorted(node.attributes)}, needs {sorted(wanted)}"


def _constants_present(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    wanted = set(CONSTANTS.get(node.op, ()))
    if set(node.constants) != wanted:
        return f"has {sorted(node.constants)}, needs {sorted(wanted)}"
    for key, value in node.constants.items():
        if value.dtype != np.float32 or not np.isfinite(value).all():
            return f"{key} must hold finite float32 values"
    return None


def _shape_agrees(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    if min(node.shape.dims) < 1:
        return f"the shape {node.shape.dims} has an empty axis"
    try:
        shape = output_shape(node.op, [earlier[i].shape for i in node.inputs], node.attributes, node.constants)
    except IllegalGraph as error:
        return str(error)
    return None if shape in (None, node.shape) else f"{node.shape.dims} where {shape and shape.dims} is computed"


def _elements_kept(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    if node.op not in (Op.RESHAPE, Op.PERMUTE):
        return None
    source = earlier[node.inputs[0]].shape
    if source.elements != node.shape.elements:
        return f"{source.dims} becomes {node.shape.dims}"
    if node.op is Op.PERMUTE:
        view, order = node.attributes["view"], node.attributes["order"]
        if not isinstance(view, tuple) or not isinstance(order, tuple) or not permutes(view, order, source.elements):
            return f"order {order} does not permute the factors {view} of {source.dims}"
    return None


def _attribute_values(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    a = node.attributes
    if node.op is Op.POINTWISE and a["function"] not in POINTWISE:
        return f"function {a['function']!r} is not one of {sorted(POINTWISE)}"
    if node.op is Op.CLIP and not real(a, "low") < real(a, "high"):
        return f"clips to {a['low']}…{a['high']}"
    if node.op is Op.LAYER_NORM and not real(a, "epsilon") > 0:
        return f"epsilon {a['epsilon']} is not positive"
    if node.op is Op.SOFTMAX and a["causal"]:
        tokens, size = earlier[node.inputs[0]].shape.tokens, a["size"]
        return None if tokens == size else f"causal over {tokens} queries and {size} keys"
    if node.op in (Op.CONV, Op.MAX_POOL, Op.AVERAGE_POOL):
        integers(a, "pads", 4)
    return None


def _ids_are_inputs(graph: Graph, node: Node, earlier: Mapping[str, Node]) -> str | None:
    if node.op is not Op.EMBEDDING:
        return None
    source = earlier[node.inputs[0]]
    while source.op in (Op.RESHAPE, Op.SLICE):
        source = earlier[source.inputs[0]]
    return None if source.op is Op.INPUT else "token ids come from an input"


IMPORTED_GRAPH_RULES: Mapping[str, GraphRule] = {
    "every tensor is defined once": _defined_once,
    "every input has a layout": _inputs_have_layouts,
    "every output has a layout": _outputs_have_layouts,
}

IMPORTED_NODE_RULES: Mapping[str, NodeRule] = {
    "names are legal": _legal_name,
    "nodes are in topological order": _inputs_come_first,
    "operators have their inputs": _number_of_inputs,
    "operators have their attributes": _attributes_present,
    "operators have their constants": _constants_present,
    "shapes agree": _shape_agrees,
    "layout operators keep all elements": _elements_kept,
    "attributes are in range": _attribute_values,
    "token ids are inputs": _ids_are_inputs,
}
