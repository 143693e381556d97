"""Reshapes only rename words; permutations truly move them."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from hwgen.hardware.operators import permute
from hwgen.lowering.kinds.families import Moved, Placeless, Unsharded
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, tied
from hwgen.lowering.parts import Part
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Node
from hwgen.model.kinds.layout import Permute, Reshape
from hwgen.model.shape import Shape


@lowers(Reshape)
class ReshapeLowering(Moved[Reshape], Placeless[Reshape], Unsharded[Reshape]):
    """The same stream."""


@lowers(Permute)
class PermuteLowering(Moved[Permute], Unsharded[Permute]):
    """Beats move as they are."""

    def lanes(self, kind: Permute, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """What stays together in the new order; the same on both sides."""
        most = permute.most_lanes(kind.view, kind.order)
        return tied(gcd(most, inputs[0].features, node.shape.features))

    def parts(self, kind: Permute, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """A memory of one sample, read in another order."""
        (source,) = graph.operands(node)
        before, after = source.shape, node.shape
        operator = permute.Permute(
            before.tokens, before.features, after.tokens, after.features, lanes.in_lanes, source.format
        )
        return (Part("", operator, {"address": permute.beat_order(kind.view, kind.order, lanes.in_lanes)}),)
