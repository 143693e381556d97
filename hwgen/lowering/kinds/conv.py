"""Convolutions: a window and matrix-vector products, or for depthwise ones a reduction lane by lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hwgen.hardware.operators.reduce import Depthwise
from hwgen.hardware.operators.window import Axis, matvec_weights
from hwgen.hardware.pipeline import DEEPEST
from hwgen.lowering.kinds.families import Unsharded, activation_choice
from hwgen.lowering.kinds.lowering import lowers
from hwgen.lowering.lanes import LaneChoice, Lanes, divisors, tied, whole_blocks
from hwgen.lowering.parts import Part, feed_of, widened
from hwgen.lowering.precision import PrecisionChoice, Quantizer
from hwgen.lowering.products import Product, matvec_part, quantized_product, to_mx_parts, weight_keys
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.lowering.windows import axes_of, covers_sample, window_part
from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.conv import Conv
from hwgen.model.passes.fusion import FusedNode
from hwgen.model.shape import Shape
from hwgen.numbers.formats import carrier


@lowers(Conv)
class ConvLowering(Unsharded[Conv]):
    """Contents of the products hold the weights in the graph's order until the lanes of the window are known."""

    def precision(self, kind: Conv, group: FusedNode, graph: Graph) -> PrecisionChoice | None:
        """Formats for weights and tensor."""
        return activation_choice(group, has_weight=True)

    def lanes(self, kind: Conv, node: Node, inputs: Sequence[Shape], mx_blocks: Sequence[int]) -> LaneChoice | None:
        """Divisors of the channels of a group; for depthwise ones of all channels, the same on both sides."""
        if kind.is_depthwise(node.tensors):
            return tied(node.shape.features)
        outputs, kernel_h, kernel_w, channels = node.tensors["weight"].shape
        in_lanes = whole_blocks(channels, kernel_h * kernel_w * channels, mx_blocks)
        return LaneChoice(in_lanes, divisors(outputs // kind.groups), False)

    def quantize(self, kind: Conv, group: FusedNode, quantizer: Quantizer) -> QuantizedNode:
        """The products, exact until the requantisation."""
        node, product = group.node, quantized_product(group, quantizer)
        rows, columns = axes_of(kind, product.weights.weight.shape[1:3], product.source.shape, node.shape)
        make = _depthwise if kind.is_depthwise(node.tensors) else _matvec
        parts = make(kind, product, rows, columns)
        return QuantizedNode(node, group.inputs, product.target.format, product.target.shared, parts)

    def parts(self, kind: Conv, graph: QuantizedGraph, node: QuantizedNode, lanes: Lanes) -> tuple[Part, ...]:
        """The same at other lanes, the weights in the order of the window's stream."""
        if kind.is_depthwise(node.node.tensors):
            return tuple(widened(part, lanes=lanes.in_lanes) for part in node.parts)
        *before, products = node.parts
        made = [widened(part, lanes=lanes.in_lanes) for part in before]
        weights = {
            key: matvec_weights(products.contents[key], kind.groups, lanes.in_lanes) for key in weight_keys(products)
        }
        products = replace(products, contents={**products.contents, **weights})
        return (*made, widened(products, in_lanes=lanes.in_lanes, out_lanes=lanes.out_lanes))


def _matvec(kind: Conv, product: Product, rows: Axis, columns: Axis) -> tuple[Part, ...]:
    parts = list(to_mx_parts(product.source))
    pointwise = all((a.kernel, a.stride, a.before, a.after) == (1, 1, 0, 0) for a in (rows, columns))
    if not pointwise:
        channels = product.source.shape.features
        parts.append(window_part(rows, columns, channels, product.read, 0, feed_of(parts)))
    parts.append(matvec_part(product, rows.outputs * columns.outputs, kind.groups, feed_of(parts)))
    return tuple(parts)


def _depthwise(kind: Conv, product: Product, rows: Axis, columns: Axis) -> tuple[Part, ...]:
    """One kernel per channel. Shared exponents gain nothing here: the integers that they stand for are used."""
    source, weights, channels = product.source.format, product.weights, product.source.shape.features
    whole = covers_sample(rows, columns)
    before = () if whole else (window_part(rows, columns, channels, source, 0, 0),)
    integers = weights.format.integers(weights.weight, weights.exponent)
    operator = Depthwise(
        rows.outputs * columns.outputs, rows.kernel * columns.kernel, channels, 1, source, whole,
        product.target.result, shift_bits(product.shift), DEEPEST, weight=carrier(weights.format),
        sum_bits=product.acc_bits, one_shift=product.shift.ndim == 0,
    )  # fmt: skip
    contents = {"weight": integers.reshape(channels, -1), "bias": weights.bias, "shift": product.shift}
    return (*before, Part("", operator, contents, {"in": feed_of(before)}))
