"""Pointwise functions of narrow words by look-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import FloatArray, IntFormat, dequantize, quantize
from hwgen.technology.memories import Constants, distinct
from hwgen.technology.parts import Bill, Handshake, SpillRegister

RealFunction = Callable[[FloatArray], FloatArray]

MAX_INDEX_BITS = 12


@dataclass(frozen=True)
class Table(Operator):
    """``out[t, i] = table[in[t, i] mod 2**bits]``: any function of one word.

    Contents: ``table`` ``(2**source.bits,)`` words of ``target``, in the order of the input's bit pattern read as an
    unsigned number (so a signed input has its negative words in the upper half).

    Lowering: a wider input is first requantized to at most 12 bits (10 lose little: the look-up of the nearest
    representable input is off by at most half an input step times the slope of the function).

    Attributes:
        tokens, features: shape of one sample.
        lanes: elements per cycle.
        source: format of the input, 1 to 12 bits.
        target: format of the result, 1 to 16 bits.
    """

    tokens: int
    features: int
    lanes: int
    source: IntFormat
    target: IntFormat

    module = "dse_table"

    def __post_init__(self) -> None:
        self.require(
            self.source.bits <= MAX_INDEX_BITS, f"a look-up has at most {MAX_INDEX_BITS} bits, not {self.source.bits}"
        )

    @staticmethod
    def design(
        function: RealFunction, tokens: int, features: int, lanes: int, source: IntFormat, target: IntFormat
    ) -> tuple[Table, dict[str, Array]]:
        """The operator and its contents for a real function of float64 arrays (see ``function_table``)."""
        return Table(tokens, features, lanes, source, target), {"table": function_table(function, source, target)}

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.tokens, self.features, self.lanes, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.features, self.lanes, self.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {"Lanes": self.lanes, "InWidth": self.source.bits, "OutWidth": self.target.bits}

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        index = inputs["in"].elements & ((1 << self.source.bits) - 1)
        return {"out": Words(contents["table"][index])}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        return {"table": MemoryImage(contents["table"].reshape(-1, 1), self.target.bits)}

    def cycles(self) -> Cycles:
        beats = self.inputs["in"].beats
        return Cycles(latency=beats + 2, interval=beats)

    def bill(self) -> Bill:
        entries, width = 1 << self.source.bits, self.target.bits
        stream = SpillRegister(self.lanes * distinct(entries, width))
        return *[Constants(entries, width)] * self.lanes, stream, Handshake()

    def held(self, port: str) -> Fraction:
        return Fraction(3, self.inputs["in"].beats)


def function_table(function: RealFunction, source: IntFormat, target: IntFormat) -> Array:
    """Table of a real function: for each input word the nearest output word, ties to even, saturating.

    The result is off by at most half a unit in the last place of ``target`` inside its range.

    Args:
        function: maps a float64 array of input values to output values of the same shape.
        source: input format.
        target: output format.

    Returns:
        ``(2**source.bits,)`` words of ``target`` in the order of the input's bit pattern.

    Raises:
        ValueError: the function is not a number somewhere on the input's range.
    """
    patterns = np.arange(1 << source.bits)
    words = np.where(patterns > source.maximum, patterns - (1 << source.bits), patterns)
    with np.errstate(over="ignore"):  # an infinite value saturates like any other
        values = np.asarray(function(dequantize(words, source)), dtype=np.float64)
    if np.isnan(values).any():
        raise ValueError(f"the function is undefined for some word of {source.text}")
    return quantize(values, target)
