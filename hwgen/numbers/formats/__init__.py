"""Number formats as objects. A format is one class in one file here; importing the file makes its plan texts legal."""

from hwgen.numbers.formats.base import Format
from hwgen.numbers.formats.integer import IntFormat, carrier, dequantize, quantize
from hwgen.numbers.formats.mxfp import Mxfp4Format
from hwgen.numbers.formats.mxint import MxFormat
from hwgen.numbers.rounding import FloatArray, IntArray, Overflow, Rounding, round_shift

__all__ = [
    "FloatArray",
    "Format",
    "IntArray",
    "IntFormat",
    "MxFormat",
    "Mxfp4Format",
    "Overflow",
    "Rounding",
    "carrier",
    "dequantize",
    "quantize",
    "round_shift",
]
