"""Instruction selection: which operators implement a node."""

from __future__ import annotations

from hwgen.errors import IllegalGraph
from hwgen.lowering.attention import layer_norm_parts, matmul_parts, softmax_parts
from hwgen.lowering.parts import Lanes, Part
from hwgen.lowering.pointwise_parts import clamp_parts, elementwise_parts, function_parts
from hwgen.lowering.pools import pool_parts
from hwgen.lowering.products import product_parts
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.structure import concat_parts, embedding_parts, permute_parts, slice_parts
from hwgen.model.graph import Op

_PARTS = {
    Op.LINEAR: product_parts,
    Op.CONV: product_parts,
    Op.MATMUL: matmul_parts,
    Op.SOFTMAX: softmax_parts,
    Op.LAYER_NORM: layer_norm_parts,
    Op.MAX_POOL: pool_parts,
    Op.AVERAGE_POOL: pool_parts,
    Op.ADD: elementwise_parts,
    Op.MUL: elementwise_parts,
    Op.RELU: clamp_parts,
    Op.CLIP: clamp_parts,
    Op.POINTWISE: function_parts,
    Op.CONCAT: concat_parts,
    Op.SLICE: slice_parts,
    Op.PERMUTE: permute_parts,
    Op.EMBEDDING: embedding_parts,
}


def node_parts(graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes | None) -> tuple[Part, ...]:
    """The operators of one node, in order; empty for nodes that only rename words.

    Raises:
        IllegalGraph: the node needs lanes and the plan gives none.
        IllegalParameters: an operator cannot take these lanes or formats.
    """
    if node.node.op in (Op.INPUT, Op.CONSTANT, Op.RESHAPE):
        return ()
    if lanes is None:
        raise IllegalGraph(f"the parallelism plan says nothing of {node.name}")
    return _PARTS[node.node.op](graph, node, lanes)
