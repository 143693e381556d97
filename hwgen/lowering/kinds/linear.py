"""Linear layers: a matrix-vector product for each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hwgen.lowering.kinds.families import activation_choice
from hwgen.lowering.kinds.lowering import Lowering, Shard, lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, divisors, whole_blocks
from hwgen.lowering.parts import Part, feed_of, widened
from hwgen.lowering.precision import PrecisionChoice, Quantizer
from hwgen.lowering.products import matvec_part, quantized_product, to_mx_parts, weight_keys
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.linear import Linear
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape


@lowers(Linear)
class LinearLowering(Lowering[Linear]):
    """Conversion to shared exponents where the operand is read that way, then the products."""

    def precision(self, kind: Linear, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """Formats for weights and tensor."""
        return activation_choice(group, has_weight=True)

    def lanes(self, kind: Linear, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Divisors of the inputs and of the outputs."""
        features = inputs[0].features
        return LaneChoice(whole_blocks(features, features, mx_blocks), divisors(node.shape.features), False)

    def quantize(self, kind: Linear, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The products, exact until the requantisation."""
        product = quantized_product(group, quantizer)
        convert = to_mx_parts(product.source)
        part = matvec_part(product, group.node.shape.tokens, 1, feed_of(convert))
        weights = {key: part.contents[key][None] for key in weight_keys(part)}
        parts = (*convert, replace(part, contents={**part.contents, **weights}))
        return QuantizedNode(group.node, group.inputs, product.target.format, product.target.shared, parts)

    def parts(self, kind: Linear, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes."""
        *convert, products = node.parts
        before = [widened(part, lanes=lanes.in_lanes) for part in convert]
        return (*before, widened(products, in_lanes=lanes.in_lanes, out_lanes=lanes.out_lanes))

    def shard(self, kind: Linear, node: QuantizedNode, ways: int, index: int) -> Shard | None:
        """Rows of the weights: so many of the results, of the whole operand."""
        *convert, products = node.parts
        outputs = node.shape.features
        if outputs % ways:
            return None
        kept = slice(index * outputs // ways, (index + 1) * outputs // ways)
        contents = {key: value if value.ndim == 0 else value[:, kept] for key, value in products.contents.items()}
        return kind, (*convert, replace(widened(products, out_features=outputs // ways), contents=contents))
