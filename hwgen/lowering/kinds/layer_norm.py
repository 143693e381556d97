"""Layer normalisation of each token."""

from __future__ import annotations

import numpy as np

from hwgen.hardware.operators import layer_norm
from hwgen.lowering.kinds.families import AllFeatures, Chosen, Unsharded
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.kinds.layer_norm import LayerNorm
from hwgen.model.passes.fusion import FusedNode


@lowers(LayerNorm)
class LayerNormLowering(Chosen[LayerNorm], AllFeatures[LayerNorm], Unsharded[LayerNorm]):
    """See the module."""

    def quantize(self, kind: LayerNorm, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Integer gamma, beta and epsilon, and all widths."""
        (source,) = quantizer.operands(group)
        target, tensors = quantizer.target(group), group.node.tensors
        gamma, beta = (tensors[key].read().astype(np.float64) for key in ("gamma", "beta"))
        operator, contents = layer_norm.LayerNorm.design(
            group.node.shape.tokens, 1, gamma, beta, kind.epsilon, source.format, target.result
        )
        parts = (Part("", operator, contents),)
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: LayerNorm, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        return tuple(widened(part, lanes=lanes.in_lanes) for part in node.parts)
