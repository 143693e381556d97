"""Exact partial sums of a product that is split along its reduction, and what adds them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.hardware.operator import accumulator_bits
from hwgen.hardware.operators.constant import Constant as Stored
from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType
from hwgen.lowering.kinds.lowering import Shard
from hwgen.lowering.parts import Part, widened
from hwgen.lowering.products import weight_keys
from hwgen.lowering.quantized import Origin, QuantizedNode
from hwgen.lowering.shifts import shift_bits
from hwgen.model.graph import Node
from hwgen.model.kinds.arithmetic import Add, Multiply
from hwgen.model.kinds.sources import Constant
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize

WIDEST_SUM = 32  # bits of a word that a stream carries from one operator to another


@dataclass(frozen=True)
class SplitProducts:
    """A matrix-vector product in slices of its reduction.

    Attributes:
        node: the whole product.
        ways: slices.
        partial: words that hold every partial sum and every sum of some of them, the bias included.
    """

    node: QuantizedNode
    ways: int
    partial: IntFormat

    @property
    def whole(self) -> Matvec:
        """The operator of the whole product."""
        operator = self.node.parts[-1].operator
        assert isinstance(operator, Matvec)
        return operator

    def shard(self, index: int) -> Shard:
        """The product of slice ``index``, not rounded and not clamped; shard 0 adds the bias."""
        *convert, products = self.node.parts
        features = self.whole.in_features // self.ways
        kept = slice(index * features, (index + 1) * features)
        contents: dict[str, Array] = {key: products.contents[key][..., kept] for key in weight_keys(products)}
        bias = products.contents["bias"]
        contents |= {"bias": bias if index == 0 else np.zeros_like(bias), "shift": np.array(0)}
        operator = replace(
            self.whole, in_features=features, acc_bits=self.partial.bits, result=Requantize(self.partial),
            shift_bits=shift_bits(np.array(0)), shared_shift=True,
        )  # fmt: skip
        before = tuple(widened(part, features=features) for part in convert)
        return self.node.node.kind, (*before, replace(products, operator=operator, contents=contents))


def bounded_products(node: QuantizedNode, ways: int) -> SplitProducts:
    """A linear node in ``ways`` slices of its operand's features.

    Raises:
        IllegalGraph: its exact sums are wider than the words of a stream.
    """
    products = node.parts[-1]
    operator = products.operator
    assert isinstance(operator, Matvec)
    bound = operator.in_features * operator.source.largest_magnitude * operator.weight.largest_magnitude
    bound += int(np.abs(products.contents["bias"]).max(initial=0))
    bits = accumulator_bits(-bound, bound)
    if bits > WIDEST_SUM:
        raise IllegalGraph(
            f"{node.name}: exact partial sums need {bits} bits, but a stream carries {WIDEST_SUM}; use narrower "
            "formats or do not split it"
        )
    return SplitProducts(node, ways, IntFormat(bits, True))


def total(node: QuantizedNode, shards: Sequence[QuantizedNode], products: SplitProducts) -> Iterator[QuantizedNode]:
    """A chain of exact additions; the last operator requantizes as the whole product would."""
    shift, result = node.parts[-1].contents["shift"], products.whole.result
    partial, exact = products.partial, Requantize(products.partial)
    per_output = np.unique(shift).size > 1
    sums = shards[0].name
    for index, shard in enumerate(shards[1:], start=1):
        last = index == len(shards) - 1 and not per_output
        name = node.name if last else f"{node.name}_sum{index}"
        by = int(np.unique(shift)[0]) if last else 0
        made = _eltwise(Function.ADD, node.shape, (partial, partial), result if last else exact, by)
        yield _joining(node, name, Add(), (sums, shard.name), made)
        sums = name
    if per_output:
        yield from _rescaled(node, sums, shift, products)


def _rescaled(node: QuantizedNode, sums: str, shift: Array, products: SplitProducts) -> Iterator[QuantizedNode]:
    """A shift for each output: powers of two bring all sums to the scale of the coarsest, then one shift does."""
    greatest, features = int(shift.max()), node.shape.features
    gains = np.left_shift(1, greatest - shift.reshape(-1)).astype(np.int64)
    words = IntFormat(int(gains.max()).bit_length(), False)
    name = f"{node.name}_gain"
    stored = Part("", Stored(StreamType(1, features, 1, words)), {"value": gains.astype(np.int32)}, {})
    own = Node(name, Constant(), (), Shape((1,) * len(node.shape.grid), features))
    yield QuantizedNode(own, (), words, parts=(stored,), origin=Origin(node.name, 0, joins=True))
    made = _eltwise(Function.MULTIPLY, node.shape, (products.partial, words), products.whole.result, greatest)
    yield _joining(node, node.name, Multiply(), (sums, name), made)


def _eltwise(
    function: Function, shape: Shape, formats: tuple[IntFormat, IntFormat], result: Requantize, shift: int
) -> Part:
    a, b = formats
    acc_bits = max(Eltwise.acc_bits_for(function, a, b, 0, 0), shift, result.target.bits)
    bits = shift_bits(np.array(shift))
    operator = Eltwise(function, shape.tokens, shape.features, 1, a, b, acc_bits, result, bits, DEEPEST)
    contents: Mapping[str, Any] = {"left_a": np.array(0), "left_b": np.array(0), "shift": np.array(shift)}
    return Part("", operator, contents, {"a": 0, "b": 1})


def _joining(
    node: QuantizedNode, name: str, kind: Add | Multiply, inputs: tuple[str, str], made: Part
) -> QuantizedNode:
    """A node that joins shards; the one called like the whole node makes its tensor."""
    target = made.operator.outputs["out"].format
    assert isinstance(target, IntFormat)
    shared = node.shared if name == node.name else None
    return QuantizedNode(
        Node(name, kind, inputs, node.shape), inputs, target, shared, (made,), Origin(node.name, 0, True)
    )
