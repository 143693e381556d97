"""The operator contract: what every hardware operator declares beside its RTL.

An operator is a frozen dataclass of its parameters. From it come the RTL parameters, the integer reference (the one
definition of what the operator computes), the memory images, the cycle model and the bill of materials.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from hwgen.errors import IllegalParameters
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array, pack_bits, row_slices
from hwgen.technology.parts import Bill


@dataclass(frozen=True)
class Cycles:
    """Timing of an operator alone, input always valid and output always ready.

    Attributes:
        latency: from the first input beat of a sample to its last output beat, inclusive, pipeline empty before.
        interval: between the last output beats of successive samples in steady state, in cycles.
    """

    latency: int
    interval: int


@dataclass(frozen=True)
class MemoryImage:
    """Content of one constant memory: ``(depth, elements)`` integers of ``bits`` bits, element 0 lowest in a word."""

    words: Array
    bits: int

    def text(self) -> str:
        """The ``$readmemh`` file: one hexadecimal word per line."""
        words = np.asarray(self.words)
        return "".join(_hexadecimal_lines(pack_bits(words[part], self.bits)) for part in row_slices(words))


def _hexadecimal_lines(packed: Array) -> str:
    """One line for each row of little-endian bytes."""
    digits = np.frombuffer(packed[:, ::-1].tobytes().hex().encode(), dtype=np.uint8).reshape(len(packed), -1)
    return np.pad(digits, ((0, 0), (0, 1)), constant_values=ord("\n")).tobytes().decode()


class Operator(ABC):
    """Base of all operators; subclasses are frozen dataclasses.

    Attributes:
        module: name of the RTL module, also of its file in ``hardware/rtl``.
        uses: other library modules that it instantiates, directly or through them.
        between_devices: it stands between two devices (a link), so it belongs to none of them.
    """

    module: ClassVar[str]
    uses: ClassVar[tuple[str, ...]] = ("dse_spill_register",)
    between_devices: ClassVar[bool] = False

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, StreamType]:
        """Input streams by port prefix (``in``, or ``a`` and ``b``)."""

    @property
    @abstractmethod
    def outputs(self) -> Mapping[str, StreamType]:
        """Output streams by port prefix (``out``, or ``out0``, ``out1`` of a fork)."""

    @abstractmethod
    def rtl_parameters(self) -> Mapping[str, int]:
        """Numeric parameters of the RTL module; they and the sources identify a compiled operator."""

    @abstractmethod
    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        """The integer definition, vectorised over samples.

        Args:
            inputs: words of every input stream.
            contents: constant tensors by name, in their natural shapes (not as memory images).

        Returns:
            Words of every output stream.
        """

    @abstractmethod
    def cycles(self) -> Cycles:
        """The exact cycle model."""

    @abstractmethod
    def bill(self) -> Bill:
        """The bill of materials: what the operator is made of, for every technology."""

    @abstractmethod
    def held(self, port: str) -> Fraction:
        """Most of one sample of input ``port`` that can be inside the operator, not yet seen at its output.

        The depth of the buffer on a parallel path follows from it. One token is ``Fraction(1, tokens)``.
        """

    def absorbs(self, port: str) -> Fraction:
        """Least of one sample that input ``port`` can still take in when the output stops; 0 is always safe.

        What a path absorbs need not fit into the buffer before the join.
        """
        return Fraction(0)

    def runs_ahead(self, ahead: Collection[str]) -> bool:
        """Whether an output can begin a sample of which only the input ports ``ahead`` have brought anything yet."""
        return all(port in ahead for port in self.inputs)

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        """Constant memories by tag; the RTL's file parameter of tag ``weight`` is ``WeightFile``."""
        return {}

    def require(self, condition: bool, message: str) -> None:
        """Raise IllegalParameters with the operator's name unless ``condition`` holds."""
        if not condition:
            raise IllegalParameters(f"{self.module}: {message}")

    def describe(self) -> dict[str, Any]:
        """Module and RTL parameters as plain JSON types."""
        return {"module": self.module, "parameters": dict(self.rtl_parameters())}


def accumulator_bits(low: int, high: int) -> int:
    """Two's-complement bits that hold every integer of ``[low, high]``."""
    return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1
