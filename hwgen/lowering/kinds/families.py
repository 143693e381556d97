"""What the lowerings of several kinds have in common."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.lowering.kinds.lowering import K, Lowering, Shard
from hwgen.lowering.lanes import LaneChoice, Lanes, tied
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import OUTPUT_BITS, PrecisionChoice, Quantizer
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph, Node
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape


def activation_choice(group: FusedNode, has_weight: bool) -> PrecisionChoice:
    """The plan chooses the format of a group's tensor, unless it is an output of the graph."""
    return PrecisionChoice(has_weight, f"int{OUTPUT_BITS}" if group.is_output else None)


class Chosen(Lowering[K]):
    """Computes: the plan gives the format of its tensor."""

    def precision(self, kind: K, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """A format for the tensor."""
        return activation_choice(group, has_weight=False)


class Inherited(Lowering[K]):
    """Hands on words of its operand, or keeps their scale: nothing to choose."""

    def precision(self, kind: K, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """None."""
        return None


class Moved(Inherited[K]):
    """Hands on words of its operand, in the operand's format."""

    def quantize(self, kind: K, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The operand's format."""
        (source,) = quantizer.operands(group)
        return QuantizedNode(group.node, group.inputs, source.format, source.shared)


class AllFeatures(Lowering[K]):
    """Works on any divisor of the features, the same on both sides."""

    def lanes(self, kind: K, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """The divisors of the output's features."""
        return tied(node.shape.features)


class Placeless(Lowering[K]):
    """Has no hardware of its own."""

    def lanes(self, kind: K, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """None."""
        return None

    def parts(self, kind: K, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """None."""
        return ()


class Unsharded(Lowering[K]):
    """Is not split by features: a slice needs other features too, or the order of words is not by features."""

    def shard(self, kind: K, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """None."""
        return None
