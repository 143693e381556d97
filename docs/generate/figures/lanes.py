"""Lanes: how many elements of a vector move in one cycle, on either side of an operator."""

from __future__ import annotations

from docs.generate.figures.drawing import Drawing
from hwgen.hardware.operators.matvec import Matvec
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize

FEATURES, OUTPUTS = 8, 4
_BYTE = IntFormat(8, True)
_CELL = 22


def product(in_lanes: int, out_lanes: int) -> Matvec:
    """A linear layer of 8 inputs and 4 outputs."""
    return Matvec(1, 1, FEATURES, OUTPUTS, in_lanes, out_lanes, _BYTE, _BYTE, 20, Requantize(_BYTE), 4, True, 0)


def draw() -> str:
    """The SVG; the intervals are those of the cycle model."""
    d = Drawing(960, 300, "A linear layer with 1 and 1, 4 and 1, and 4 and 2 lanes, and the cycles that it takes")
    for index, lanes in enumerate([(1, 1), (4, 1), (4, 2)]):
        _one(d, 20 + 315 * index, *lanes)
    d.text(20, 284, f"Each square is one element. A linear layer of {FEATURES} inputs and {OUTPUTS} outputs takes "
           f"{FEATURES * OUTPUTS} products a sample; lanes must divide the features.", dim=True)  # fmt: skip
    return d.svg()


def _one(d: Drawing, x: float, in_lanes: int, out_lanes: int) -> None:
    products, interval = in_lanes * out_lanes, product(in_lanes, out_lanes).cycles().interval
    d.text(x, 32, f"in_lanes {in_lanes}, out_lanes {out_lanes}", bold=True)
    _beats(d, x, FEATURES, in_lanes, "blue")
    d.box(
        x + 110,
        60,
        90,
        130,
        "box",
        ["linear", f"{in_lanes} × {out_lanes} =", f"{products} product{'s' if products > 1 else ''}", "a cycle"],
    )
    _beats(d, x + 245, OUTPUTS, out_lanes, "green")
    d.arrow([(x + 84, 125), (x + 108, 125)])
    d.arrow([(x + 202, 125), (x + 226, 125)])
    d.text(x, 256, f"interval {interval} cycles", bold=True)


def _beats(d: Drawing, x: float, features: int, lanes: int, style: str) -> None:
    """Elements in beats: a beat is a column of ``lanes`` squares."""
    beats = features // lanes
    width = 9 if beats > 4 else 20
    left = x + (80 - beats * width) / 2 - (20 if style == "green" else 0)
    for beat in range(beats):
        for lane in range(lanes):
            d.box(left + beat * width, 114 - lanes * _CELL / 2 + lane * _CELL, width - 2, _CELL - 2, style)
