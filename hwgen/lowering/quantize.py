"""Graph + precision of each node + calibration -> quantized graph: scales, integer constants and exact widths."""

from __future__ import annotations

from collections.abc import Mapping

from hwgen.lowering.calibration import Calibration
from hwgen.lowering.kinds.lowering import lowering_of
from hwgen.lowering.precision import Precision, QuantizeOptions, Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph
from hwgen.model.passes.fusion import fuse

_DEFAULT_OPTIONS = QuantizeOptions()


def quantize_graph(
    graph: Graph,
    precisions: Mapping[str, Precision],
    calibration: Calibration,
    options: QuantizeOptions = _DEFAULT_OPTIONS,
) -> QuantizedGraph:
    """Choose every format and turn every constant into integers.

    Args:
        graph: a verified graph.
        precisions: by node name, for the nodes of ``precision_choices``; constants not named get 8 bits.
        calibration: float values of every tensor.
        options: rounding, overflow and weight scales.

    Raises:
        IllegalGraph: a node has no precision.
        IllegalParameters: no operator can take the formats of a node.
    """
    nodes: dict[str, QuantizedNode] = {}
    quantizer = Quantizer(graph, precisions, calibration, options, nodes)
    groups = fuse(graph)
    for group in groups:
        kind = group.node.kind
        nodes[group.node.name] = lowering_of(kind).quantize(kind, group, quantizer)
    maker = {group.tensor: group.node.name for group in groups}
    return QuantizedGraph(graph, tuple(nodes.values()), tuple(maker[o.node] for o in graph.outputs))
