"""Graph + precision of each node + calibration -> quantized graph: scales, integer constants and exact widths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.hardware.operator import accumulator_bits
from hwgen.lowering.calibration import Calibration, best_fraction_bits
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.weights import quantize_weights
from hwgen.model.graph import Graph, Op
from hwgen.model.passes.fusion import MOVING, FusedNode, fuse
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import FormatChoice, IntFormat, MxFormat, Overflow, Rounding, quantize
from hwgen.numbers.requantize import Requantize

OUTPUT_BITS = 16  # outputs of the graph are read by software; narrow ones would tie
CONSTANT_BITS = 8
TABLE_INPUT_BITS = 10  # wider inputs of a pointwise function are requantized before the look-up
MX_EXPONENT_BITS = 3


@dataclass(frozen=True)
class Precision:
    """Formats of one node: its weights (None without) and its output tensor."""

    weight: FormatChoice | None
    activation: FormatChoice


@dataclass(frozen=True)
class QuantizeOptions:
    """Choices that hold for the whole graph.

    Attributes:
        rounding: of every requantisation.
        overflow: of every requantisation; activation functions that clamp need saturation.
        per_channel: a power-of-two scale per output channel of a weight tensor, else one per tensor.
    """

    rounding: Rounding = Rounding.HALF_UP
    overflow: Overflow = Overflow.SATURATE
    per_channel: bool = True


def quantize_graph(
    graph: Graph,
    precisions: Mapping[str, Precision],
    calibration: Calibration,
    options: QuantizeOptions = QuantizeOptions(),
) -> QuantizedGraph:
    """Choose every format and turn every constant into integers.

    Args:
        graph: a verified graph.
        precisions: by node name, for the nodes of ``quantized_nodes``; constants not named get 8 bits.
        calibration: float values of every tensor.
        options: rounding, overflow and weight scales.

    Raises:
        IllegalGraph: a node has no precision.
    """
    quantizer = _Quantizer(graph, precisions, calibration, options)
    for fused in fuse(graph):
        quantizer.add(fused)
    group = {f.tensor: f.node.name for f in fuse(graph)}
    return QuantizedGraph(graph, tuple(quantizer.nodes.values()), tuple(group[o.node] for o in graph.outputs))


def carrier_bits(choice: FormatChoice) -> int:
    """Width of the integers that carry a tensor between operators; wide enough for every shared exponent."""
    return choice.bits if choice.kind != "mxint" else choice.bits + (1 << MX_EXPONENT_BITS) - 1


class _Quantizer:
    def __init__(
        self, graph: Graph, precisions: Mapping[str, Precision], calibration: Calibration, options: QuantizeOptions
    ) -> None:
        self.graph = graph
        self.precisions = precisions
        self.calibration = calibration
        self.options = options
        self.nodes: dict[str, QuantizedNode] = {}
        self.shared: dict[str, MxFormat | None] = {}  # how a matrix product reads each tensor

    def add(self, fused: FusedNode) -> None:
        node = fused.node
        self.shared[node.name] = None
        match node.op:
            case Op.INPUT:
                made = self._input(fused)
            case Op.CONSTANT:
                made = self._constant(fused)
            case Op.LINEAR | Op.CONV:
                made = self._product(fused)
            case Op.MATMUL:
                made = self._matmul(fused)
            case Op.ADD | Op.MUL:
                made = self._elementwise(fused)
            case Op.EMBEDDING:
                made = self._embedding(fused)
            case Op.RELU | Op.CLIP:
                made = self._clamp(fused)
            case op if op in MOVING:
                source = self.nodes[fused.inputs[0]]
                self.shared[node.name] = self.shared[source.name]
                made = QuantizedNode(node, fused.inputs, source.format)
            case Op.AVERAGE_POOL:
                # Finer than this, the multiplier of the average would need a negative shift.
                target = self._format(fused, finest=self.nodes[fused.inputs[0]].format.fraction_bits + 4)
                made = QuantizedNode(node, fused.inputs, target, self._result(target, fused))
            case _:
                target = self._format(fused)
                made = QuantizedNode(node, fused.inputs, target, self._result(target, fused))
        self.nodes[node.name] = made

    def _choice(self, fused: FusedNode) -> FormatChoice:
        if fused.is_output:
            return FormatChoice("int", OUTPUT_BITS)
        precision = self.precisions.get(fused.node.name)
        if precision is None:
            raise IllegalGraph(f"the quantization plan says nothing of {fused.node.name}")
        return precision.activation

    def _format(self, fused: FusedNode, finest: int | None = None) -> IntFormat:
        """Format of the group's tensor; ``finest`` bounds the fraction bits by those of its exact value."""
        choice = self._choice(fused)
        bits = carrier_bits(choice)
        signed = choice.kind == "mxint" or not fused.non_negative
        fraction = self.calibration.fraction_bits(fused.tensor, bits, signed)
        if finest is not None:
            fraction = min(fraction, finest)
        if choice.kind == "mxint":
            self.shared[fused.node.name] = MxFormat(choice.bits, choice.block, MX_EXPONENT_BITS, fraction)
        return IntFormat(bits, signed, fraction)

    def _result(self, target: IntFormat, fused: FusedNode) -> Requantize:
        scale = 2.0**target.fraction_bits
        low = None if fused.low is None else int(np.ceil(fused.low * scale))
        high = None if fused.high is None else int(np.floor(fused.high * scale))
        if fused.low is not None and fused.high is not None and low is not None and high is not None and low > high:
            # No word lies inside: an empty clamp would be read differently by RTL and reference.
            low = high = round((fused.low + fused.high) / 2 * scale)
        clamps = low is not None or high is not None
        overflow = Overflow.SATURATE if clamps else self.options.overflow
        return Requantize(target, self.options.rounding, overflow, low, high)

    def _input(self, fused: FusedNode) -> QuantizedNode:
        name = fused.node.name
        values = self.calibration.values[name]
        layout = next(i for i in self.graph.inputs if i.node == name)
        if layout.integer:
            rows = [c.constants["table"].shape[0] for c in self.graph.consumers(name) if c.op is Op.EMBEDDING]
            return QuantizedNode(fused.node, (), IntFormat(max(1, (max(rows) - 1).bit_length()), False, 0))
        choice = self._choice(fused)
        bits = carrier_bits(choice)
        signed = choice.kind == "mxint" or bool(values.min(initial=0) < 0)
        fraction = self.calibration.fraction_bits(name, bits, signed)
        if choice.kind == "mxint":
            self.shared[name] = MxFormat(choice.bits, choice.block, MX_EXPONENT_BITS, fraction)
        return QuantizedNode(fused.node, (), IntFormat(bits, signed, fraction))

    def _constant(self, fused: FusedNode) -> QuantizedNode:
        value = fused.node.constants["value"]
        precision = self.precisions.get(fused.node.name)
        bits = carrier_bits(precision.activation) if precision else CONSTANT_BITS
        target = IntFormat(bits, not fused.non_negative)
        target = IntFormat(bits, target.signed, best_fraction_bits(value.ravel(), bits, target.signed))
        return QuantizedNode(fused.node, (), target, constants={"value": quantize(value, target)})

    def _embedding(self, fused: FusedNode) -> QuantizedNode:
        target = self._format(fused)
        table = quantize(fused.node.constants["table"], target)
        return QuantizedNode(fused.node, fused.inputs, target, constants={"table": table})

    def _clamp(self, fused: FusedNode) -> QuantizedNode:
        """A clamp that could not be fused: it keeps the scale of its input."""
        source = self.nodes[fused.inputs[0]].format
        target = IntFormat(source.bits, source.signed and not fused.non_negative, source.fraction_bits)
        return QuantizedNode(fused.node, fused.inputs, target, self._result(target, fused))

    def _product(self, fused: FusedNode) -> QuantizedNode:
        node = fused.node
        source = self.nodes[fused.inputs[0]]
        shared = self.shared[source.name]
        precision = self.precisions.get(node.name)
        if precision is None or precision.weight is None:
            raise IllegalGraph(f"the quantization plan gives no weight format for {node.name}")
        read = shared or source.format
        weights = quantize_weights(
            node.constants["weight"], node.constants.get("bias"), precision.weight, read.fraction_bits,
            self.options.per_channel,
        )  # fmt: skip
        exact = read.fraction_bits + weights.fraction_bits  # per output channel
        target = self._format(fused, finest=int(exact.min()))
        shift = exact - target.fraction_bits
        largest_input = largest_magnitude(read)
        elements = int(np.prod(node.constants["weight"].shape[1:]))
        bound = elements * largest_input * weights.largest_magnitude
        biased = bound + int(np.abs(weights.bias).max(initial=0))
        # One bit over the bound of the formats, so that most biases need no width (and no operator) of their own.
        acc_bits = max(
            accumulator_bits(-bound, bound) + 1, accumulator_bits(-biased, biased), int(shift.max()), target.bits
        )
        shared_shift = bool((shift == shift[0]).all())
        return QuantizedNode(
            node,
            fused.inputs,
            target,
            self._result(target, fused),
            weights.format,
            (shared,),
            {**weights.constants(), "shift": np.array(shift[0]) if shared_shift else shift},
            acc_bits,
        )

    def _matmul(self, fused: FusedNode) -> QuantizedNode:
        a, b = (self.nodes[i].format for i in fused.inputs)
        exact = a.fraction_bits + b.fraction_bits
        target = self._format(fused, finest=exact)
        heads = int(_attribute(fused, "heads"))
        second = self.graph.node(fused.inputs[1]).shape if fused.inputs[1] in self.graph.by_name else None
        assert second is not None
        depth = second.features // heads if fused.node.attributes["transpose_b"] else second.tokens
        bound = depth * largest_magnitude(a) * largest_magnitude(b)
        shift = exact - target.fraction_bits
        acc_bits = max(accumulator_bits(-bound, bound), shift, target.bits)
        return QuantizedNode(
            fused.node, fused.inputs, target, self._result(target, fused), None, (None, None),
            {"shift": np.array(shift)}, acc_bits,
        )  # fmt: skip

    def _elementwise(self, fused: FusedNode) -> QuantizedNode:
        a, b = (self.nodes[i].format for i in fused.inputs)
        add = fused.node.op is Op.ADD
        exact = max(a.fraction_bits, b.fraction_bits) if add else a.fraction_bits + b.fraction_bits
        target = self._format(fused, finest=exact)
        constants: dict[str, Array] = {"shift": np.array(exact - target.fraction_bits)}
        if add:
            constants["align"] = np.array([exact - a.fraction_bits, exact - b.fraction_bits])
        return QuantizedNode(fused.node, fused.inputs, target, self._result(target, fused), constants=constants)


def largest_magnitude(source: IntFormat | MxFormat) -> int:
    """Largest magnitude of an element of the format, in units of its scale."""
    if isinstance(source, MxFormat):
        return -source.minimum << source.max_exponent
    return max(source.maximum, -source.minimum)


def _attribute(fused: FusedNode, key: str) -> int:
    value = fused.node.attributes[key]
    assert isinstance(value, int)
    return value
