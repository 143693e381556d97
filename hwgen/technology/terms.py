"""Logic by the part that needs it, before the fitted weights."""

from __future__ import annotations

from dataclasses import dataclass, field

# Kinds of logic that the parts consist of; every family has a weight for each.
TERMS = (
    "accumulator",
    "accumulator start",
    "adder",
    "adder of fixed products",
    "clamp",
    "collision",
    "comparator",
    "constants",
    "constants held",
    "counter",
    "delay line",
    "difference",
    "distributed memory",
    "division",
    "done flags",
    "fixed product",
    "front of units",
    "handshake",
    "loaded unit",
    "maximum",
    "maximum of shifted words",
    "multiplier",
    "negation",
    "place",
    "place decode",
    "place from units",
    "place step",
    "place, decoded in every bit",
    "position",
    "product gate",
    "product table",
    "range",
    "register file",
    "registers",
    "root",
    "round position",
    "rounding",
    "rounding shifter",
    "selector",
    "selector, decoded in every bit",
    "shift",
    "shifter",
    "spill register",
    "store",
    "unloaded unit",
)


_KNOWN = frozenset(TERMS)


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
        """Add to a term.

        Raises:
            ValueError: the name is not among ``TERMS``, so no family has a weight for it.
        """
        if name not in _KNOWN:
            raise ValueError(f"{name!r} is not among TERMS: list it and run python -m calibration.fit")
        for found, value in ((self.lut, lut), (self.ff, ff)):
            if value:
                found[name] = found.get(name, 0.0) + value
