"""Inputs and constants: formats, but no hardware of their own."""

from __future__ import annotations

from dataclasses import replace

from hwgen.hardware.operators import constant
from hwgen.hardware.streams import StreamType
from hwgen.lowering.calibration import best_fraction_bits
from hwgen.lowering.kinds.families import Inherited, Placeless, Unsharded, activation_choice
from hwgen.lowering.kinds.lowering import Shard, lowers
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import PrecisionChoice, Quantizer
from hwgen.lowering.quantized import QuantizedNode
from hwgen.model.graph import Graph, InputLayout
from hwgen.model.kinds.embedding import Embedding
from hwgen.model.kinds.sources import Constant, Input
from hwgen.model.passes.fusion import FusedNode
from hwgen.numbers.formats import IntFormat, quantize


@lowers(Input)
class InputLowering(Placeless[Input], Unsharded[Input]):
    """A stream from outside; it gets lanes and device of its first reader."""

    def precision(self, kind: Input, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """A format for the tensor; ids have one that follows from the vocabulary."""
        choice = activation_choice(group, has_weight=False)
        ids = _layout(graph, group).integer
        return replace(choice, fixed_activation="uint16") if ids and not group.is_output else choice

    def quantize(self, kind: Input, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """Signed where calibration saw a negative value; ids exactly."""
        if _layout(quantizer.graph, group).integer:
            return QuantizedNode(group.node, (), _id_format(quantizer.graph, group.node.name))
        positive = bool(quantizer.calibration.values[group.node.name].min(initial=0) >= 0)
        target = quantizer.target(replace(group, non_negative=positive))
        return QuantizedNode(group.node, (), target.format, target.shared)


@lowers(Constant)
class ConstantLowering(Inherited[Constant], Placeless[Constant]):
    """A stored tensor; its reader makes the source that repeats it, in the shape that it needs."""

    def quantize(self, kind: Constant, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The nearest words at the best scale."""
        value, shape = group.node.tensors["value"].read(), group.node.shape
        bits, signed = quantizer.constant_bits(group), not group.non_negative
        target = IntFormat(bits, signed, best_fraction_bits(value.ravel(), bits, signed))
        source = constant.Constant(StreamType(shape.tokens, shape.features, 1, target))
        part = Part("", source, {"value": quantize(value, target)}, {})
        return QuantizedNode(group.node, (), target, parts=(part,))

    def shard(self, kind: Constant, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """A slice of the value; one that has a single feature is repeated by its reader and stays whole."""
        if node.shape.features == 1:
            return kind, node.parts
        if node.shape.features % ways:
            return None
        (part,) = node.parts
        features = node.shape.features // ways
        value = part.contents["value"][..., index * features : (index + 1) * features]
        stored = constant.Constant(StreamType(node.shape.tokens, features, 1, node.format))
        return kind, (Part("", stored, {"value": value}, {}),)


def _layout(graph: Graph, group: FusedNode) -> InputLayout:
    return next(i for i in graph.inputs if i.node == group.node.name)


def _id_format(graph: Graph, name: str) -> IntFormat:
    ids = [n.kind.vocabulary(n.tensors) for n in graph.consumers(name) if isinstance(n.kind, Embedding)]
    return IntFormat(max(1, (max(ids) - 1).bit_length()), False, 0)
