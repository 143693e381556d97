"""Products with stored weights: what linear layers and convolutions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.operators.to_mx import ToMx
from hwgen.hardware.pipeline import DEEPEST
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import Quantizer, Target
from hwgen.lowering.quantized import QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.lowering.weights import QuantizedWeights, quantize_weights
from hwgen.model.passes.fusion import FusedNode
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format


@dataclass(frozen=True)
class Product:
    """The numbers of a group that multiplies its operand by weights.

    Attributes:
        source: the operand.
        read: the format in which it is read.
        weights: integers in the shape of the float weights.
        target: of the group's tensor.
        shift: ``()`` or ``(outputs,)``.
        acc_bits: accumulator width, never to overflow.
    """

    source: QuantizedNode
    read: Format
    weights: QuantizedWeights
    target: Target
    shift: Array
    acc_bits: int


def quantized_product(group: FusedNode, quantizer: Quantizer) -> Product:
    """Formats, integer weights and the exact accumulator of a linear layer or convolution.

    Raises:
        IllegalGraph: the plan says nothing of the node, or gives no weight format.
    """
    tensors = group.node.tensors
    (source,) = quantizer.operands(group)
    read = source.shared or source.format
    weights = quantize_weights(
        tensors["weight"], tensors["bias"].read(), quantizer.weight(group).for_weights(), read.fraction_bits,
        quantizer.options.per_channel,
    )  # fmt: skip
    exact = read.fraction_bits + weights.fraction_bits  # per output channel
    target = quantizer.target(group, finest=int(exact.min()))
    shift = exact - target.format.fraction_bits
    elements = int(np.prod(weights.weight.shape[1:]))
    bound = elements * read.largest_magnitude * weights.format.largest_magnitude
    biased = bound + int(np.abs(weights.bias).max(initial=0))
    # One bit over the bound of the formats, so that most biases need no width (and no operator) of their own.
    acc_bits = max(
        accumulator_bits(-bound, bound) + 1, accumulator_bits(-biased, biased), int(shift.max()), target.format.bits
    )
    one_shift = bool((shift == shift[0]).all())
    return Product(source, read, weights, target, np.array(shift[0]) if one_shift else shift, acc_bits)


def to_mx_parts(source: QuantizedNode) -> tuple[Part, ...]:
    """The conversion of an operand to shared exponents, where it is read that way."""
    if source.shared is None:
        return ()
    shift = np.array(source.format.fraction_bits - source.shared.fraction_bits)
    shape = source.shape
    operator = ToMx(shape.tokens, shape.features, 1, source.format, source.shared, shift_bits(shift), DEEPEST)
    return (Part("mx", operator, {"shift": shift}),)


def matvec_part(product: Product, tokens: int, groups: int, feed: int | str) -> Part:
    """The products at one lane; the weights stay in the shape of the float weights."""
    outputs, *reduced = product.weights.weight.shape
    shift = product.shift
    operator = Matvec(
        tokens, groups, int(np.prod(reduced)), outputs // groups, 1, 1, product.read, product.weights.format,
        product.acc_bits, product.target.result, shift_bits(shift), shift.ndim == 0,
        DEEPEST,
    )  # fmt: skip
    constants = product.weights.constants()
    contents = {
        **constants,
        "bias": constants["bias"].reshape(groups, -1),
        "shift": shift if shift.ndim == 0 else shift.reshape(groups, -1),
    }
    return Part("", operator, contents, {"in": feed})


def weight_keys(part: Part) -> Sequence[str]:
    """Names of the contents that have the shape of the weights."""
    return [key for key in part.contents if key.startswith("weight")]
