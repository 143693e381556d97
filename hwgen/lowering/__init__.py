"""Lowering: from the imported graph and a candidate's three plans to the hardware graph."""

from hwgen.lowering.calibration import Calibration
from hwgen.lowering.choices import LaneChoice, PrecisionChoice, cut_points, lane_choices, precision_choices
from hwgen.lowering.crossing import cut_bits
from hwgen.lowering.lower import lower, node_operators
from hwgen.lowering.parts import Lanes
from hwgen.lowering.quantize import Precision, QuantizeOptions, quantize_graph
from hwgen.lowering.quantized import QuantizedGraph, QuantizedNode

__all__ = [
    "Calibration",
    "LaneChoice",
    "Lanes",
    "Precision",
    "PrecisionChoice",
    "QuantizeOptions",
    "QuantizedGraph",
    "QuantizedNode",
    "cut_bits",
    "cut_points",
    "lane_choices",
    "lower",
    "node_operators",
    "precision_choices",
    "quantize_graph",
]
