"""Root mean square normalisation of each token."""

from __future__ import annotations

import numpy as np

from hwgen.hardware.operators import rms_norm
from hwgen.lowering.kinds.families import AllFeatures, Chosen, Unsharded
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import Lanes
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.precision import Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.kinds.rms_norm import RmsNorm
from hwgen.model.passes.fusion import FusedNode


@lowers(RmsNorm)
class RmsNormLowering(Chosen[RmsNorm], AllFeatures[RmsNorm], Unsharded[RmsNorm]):
    """See the module."""

    def quantize(self, kind: RmsNorm, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Integer gamma and epsilon, and all widths."""
        (source,) = quantizer.operands(group)
        target = quantizer.target(group)
        gamma = group.node.tensors["gamma"].read().astype(np.float64)
        operator, contents = rms_norm.RmsNorm.design(
            group.node.shape.tokens, 1, gamma, kind.epsilon, source.format, target.result
        )
        parts = (Part("", operator, contents),)
        return QuantizedNode(group.node, group.inputs, target.format, target.shared, parts)

    def parts(self, kind: RmsNorm, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        return tuple(widened(part, lanes=lanes.in_lanes) for part in node.parts)
