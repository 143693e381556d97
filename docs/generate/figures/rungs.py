"""The fidelity ladder: what each rung asks, and where a candidate may end."""

from __future__ import annotations

from docs.generate.figures.drawing import Drawing
from explorer.rungs.ladder import LADDER

# Rung -> what it does, and how a candidate ends there.
TEXTS = {
    "legality": ("is it a design at all? the hardware graph is built", "an operator refuses its parameters"),
    "estimate": (
        "LUT, flip-flops, DSP, block RAM, power, links",
        "too large for a device, or a bound missed for certain",
    ),
    "accuracy": ("the integer reference on all of your data", "accuracy constraint missed"),
    "build": ("operators that are not in the cache are compiled", "never"),
    "simulate": ("the RTL runs; every output word is compared", "a constraint on cycles missed"),
}


def draw() -> str:
    """The SVG, in the order of the ladder."""
    d = Drawing(960, 60 + 56 * len(LADDER), "The rungs of the ladder in their order, and how a candidate ends on each")
    d.text(20, 32, "rung", bold=True)
    d.text(160, 32, "does", bold=True)
    d.text(560, 32, "a candidate ends here as infeasible when", bold=True)
    for index, rung in enumerate(LADDER):
        does, ends = TEXTS[rung.name]
        y = 46 + 56 * index
        d.box(20, y, 120, 40, "green" if rung.name == "simulate" else "blue", [rung.name])
        d.text(160, y + 25, does)
        d.text(560, y + 25, ends, dim=True)
        if index:
            d.arrow([(80, y - 16), (80, y - 1)])
    return d.svg()
