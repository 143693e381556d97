"""What a quantization plan says, and the formats that follow from it and from calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.errors import IllegalGraph
from hwgen.lowering.calibration import Calibration
from hwgen.lowering.quantized import QuantizedNode
from hwgen.model.graph import Graph
from hwgen.model.passes.fusion import FusedNode
from hwgen.numbers.formats import Format, IntFormat, Overflow, Rounding, carrier
from hwgen.numbers.rescale import Requantize

OUTPUT_BITS = 16  # outputs of the graph are read by software; narrow ones would tie
CONSTANT_BITS = 8


@dataclass(frozen=True)
class Precision:
    """Formats of one node, scales apart: its weights (None without) and its output tensor."""

    weight: Format | None
    activation: Format


@dataclass(frozen=True)
class PrecisionChoice:
    """Which formats the quantization plan gives for one node.

    Attributes:
        has_weight: it has a weight format.
        fixed_activation: the activation format is not a choice (outputs of the graph, token ids), else None.
    """

    has_weight: bool
    fixed_activation: str | None


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


@dataclass(frozen=True)
class Target:
    """What a group's tensor becomes.

    Attributes:
        format: its words.
        shared: how a matrix product reads it; None: as these words.
        result: the requantisation that makes the words, the group's clamp included.
    """

    format: IntFormat
    shared: Format | None
    result: Requantize


@dataclass(frozen=True)
class Quantizer:
    """A plan, calibration and options, and the nodes that are quantized already.

    Attributes:
        graph: the float graph.
        precisions: by node name.
        calibration: float values of every tensor.
        options: rounding, overflow, weight scales.
        nodes: what the node at hand may read.
    """

    graph: Graph
    precisions: Mapping[str, Precision]
    calibration: Calibration
    options: QuantizeOptions
    nodes: Mapping[str, QuantizedNode]

    def operands(self, group: FusedNode) -> list[QuantizedNode]:
        """The quantized nodes that a group reads."""
        return [self.nodes[name] for name in group.inputs]

    def target(self, group: FusedNode, finest: int | None = None) -> Target:
        """The format that the plan and calibration give a group's tensor.

        Args:
            group: what makes the tensor.
            finest: bounds the fraction bits, by those of the tensor's exact value.

        Raises:
            IllegalGraph: the plan says nothing of the group.
        """
        choice = self._activation(group).for_activations(group.non_negative)
        carried = carrier(choice)
        fraction = self.calibration.fraction_bits(group.tensor, carried.bits, carried.signed)
        if finest is not None:
            fraction = min(fraction, finest)
        target = carried.at(fraction)
        return Target(target, None if choice.plain else choice.at(fraction), self.result(target, group))

    def weight(self, group: FusedNode) -> Format:
        """The format that the plan gives a group's weights.

        Raises:
            IllegalGraph: it gives none.
        """
        precision = self.precisions.get(group.node.name)
        if precision is None or precision.weight is None:
            raise IllegalGraph(f"the quantization plan gives no weight format for {group.node.name}")
        return precision.weight

    def constant_bits(self, group: FusedNode) -> int:
        """Width of a constant tensor: a plan need not name it."""
        precision = self.precisions.get(group.node.name)
        return carrier(precision.activation).bits if precision else CONSTANT_BITS

    def result(self, target: IntFormat, group: FusedNode) -> Requantize:
        """The requantisation into ``target`` with a group's clamp."""
        scale = 2.0**target.fraction_bits
        low = None if group.low is None else int(np.ceil(group.low * scale))
        high = None if group.high is None else int(np.floor(group.high * scale))
        if group.low is not None and group.high is not None and low is not None and high is not None and low > high:
            # No word lies inside: an empty clamp would be read differently by RTL and reference.
            low = high = round((group.low + group.high) / 2 * scale)
        clamps = low is not None or high is not None
        overflow = Overflow.SATURATE if clamps else self.options.overflow
        return Requantize(target, self.options.rounding, overflow, low, high)

    def _activation(self, group: FusedNode) -> Format:
        if group.is_output:
            return IntFormat(OUTPUT_BITS, True)
        precision = self.precisions.get(group.node.name)
        if precision is None:
            raise IllegalGraph(f"the quantization plan says nothing of {group.node.name}")
        return precision.activation
