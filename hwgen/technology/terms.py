"""Logic by the part that needs it, before the fitted weights."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Terms:
    """Look-up tables and flip-flops by the kind of logic, and the blocks that follow from thresholds.

    Attributes:
        lut, ff: by term; the weights of a technology scale each.
        dsp, bram: exact, no weight.
    """

    lut: dict[str, float] = field(default_factory=dict)
    ff: dict[str, float] = field(default_factory=dict)
    dsp: int = 0
    bram: int = 0

    def add(self, name: str, lut: float = 0.0, ff: float = 0.0) -> None:
        """Add to a term."""
        for found, value in ((self.lut, lut), (self.ff, ff)):
            if value:
                found[name] = found.get(name, 0.0) + value
