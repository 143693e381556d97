"""Terms of the resource model: LUTs and flip-flops of an operator by the part that needs them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwgen.resource_blocks import Memory, bits, distinct, requantize, rom


@dataclass
class Terms:
    """LUTs and flip-flops by the part that needs them, and the counts that follow from thresholds.

    Parts of the same name are the same thing in every operator; the fit lends strength from one to another.
    """

    lut: dict[str, float] = field(default_factory=dict)
    ff: dict[str, float] = field(default_factory=dict)
    dsp: float = 0.0
    bram18: float = 0.0

    def add(self, name: str, lut: float = 0.0, ff: float = 0.0) -> None:
        """Add to a part."""
        self.lut[name] = self.lut.get(name, 0.0) + lut
        self.ff[name] = self.ff.get(name, 0.0) + ff

    def memory(self, name: str, memory: Memory) -> None:
        """Add a memory; its logic counts under ``name``."""
        self.add(name, memory.lut, memory.ff)
        self.bram18 += memory.bram18

    def constants(self, depth: int, width: int, name: str = "rom") -> None:
        """Add a memory of ``depth`` random words, and its registered word."""
        self.memory(name, rom(depth, width))

    def stream(self, payload: float) -> None:
        """Add a spill register of two entries."""
        self.add("stream", payload + 2, 2 * (payload + 2))

    def result(self, payload: float) -> None:
        """Add a result register before the output."""
        self.add("result", ff=payload + 2.0)

    def requantized(self, p: dict[str, int], lanes: int, width: int, shifts: int = 1) -> None:
        """Add the requantisation of ``lanes`` values of ``width`` bits."""
        for name, lut in requantize(p, width, shifts).items():
            self.add(name, lanes * lut)

    def control(self, *counts: int) -> None:
        """Add counters over ``counts`` values, and the handshake."""
        total = float(sum(bits(c) for c in counts if c > 1))
        self.add("control", 1.5 * total, total)
        self.lut["handshake"] = 10.0
        self.ff["handshake"] = 5.0


def table_payload(index_bits: int, lanes: int, width: int) -> float:
    """Different bits that ``lanes`` tables of ``width`` bits with indices of their own put into a stream."""
    return lanes * distinct(1 << index_bits, width)
