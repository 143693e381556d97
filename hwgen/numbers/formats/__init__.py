"""Number formats as objects. A format is one class in one file here; importing the file makes its plan texts legal."""

from hwgen.numbers.formats.base import Format
from hwgen.numbers.formats.choice import FormatChoice
from hwgen.numbers.formats.integer import IntFormat, dequantize, quantize
from hwgen.numbers.formats.mxint import MxFormat
from hwgen.numbers.rounding import FloatArray, IntArray, Overflow, Rounding, round_shift

__all__ = [
    "FloatArray",
    "Format",
    "FormatChoice",
    "IntArray",
    "IntFormat",
    "MxFormat",
    "Overflow",
    "Rounding",
    "dequantize",
    "quantize",
    "round_shift",
]
