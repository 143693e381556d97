"""Lowering: from the imported graph and a candidate's three plans to the hardware graph."""

from hwgen.lowering.calibration import Calibration
from hwgen.lowering.crossing import cut_bits
from hwgen.lowering.lanes import LaneChoice, Lanes
from hwgen.lowering.lower import lower, node_operators
from hwgen.lowering.parts import Part
from hwgen.lowering.precision import Precision, PrecisionChoice, QuantizeOptions
from hwgen.lowering.quantize import quantize_graph
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode
from hwgen.lowering.shard import TensorGroup, shard_graph, tensor_groups
from hwgen.lowering.space import cut_points, lane_choices, precision_choices

__all__ = [
    "Calibration",
    "LaneChoice",
    "Lanes",
    "Part",
    "Precision",
    "PrecisionChoice",
    "QuantizeOptions",
    "QuantizedGraph",
    "QuantizedNode",
    "TensorGroup",
    "cut_bits",
    "cut_points",
    "lane_choices",
    "lower",
    "node_operators",
    "precision_choices",
    "quantize_graph",
    "shard_graph",
    "tensor_groups",
]
