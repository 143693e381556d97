"""Embeddings: a stored table, quantized like an activation."""

from __future__ import annotations

from hwgen.hardware.operators import embedding
from hwgen.hardware.pipeline import DEEPEST
from hwgen.lowering.kinds.families import AllFeatures, Chosen, Unsharded
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.weights import quantize_table
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.passes.fusion import FusedNode


@lowers(Embedding)
class EmbeddingLowering(Chosen[Embedding], AllFeatures[Embedding], Unsharded[Embedding]):
    """See the module."""

    def quantize(self, kind: Embedding, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Rows of words in the format of the tensor."""
        (ids,) = quantizer.operands(group)
        target, table, shape = quantizer.target(group), group.node.tensors["table"], group.node.shape
        vocabulary = kind.vocabulary(group.node.tensors)
        operator = embedding.Embedding(shape.tokens, vocabulary, shape.features, 1, ids.format, target.format, DEEPEST)
        parts = (Part("", operator, {"table": quantize_table(table, target.format)}),)
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: Embedding, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        return tuple(widened(part, lanes=lanes.out_lanes) for part in node.parts)
