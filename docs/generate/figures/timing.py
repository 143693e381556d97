"""Latency and interval: three samples on their way through three operators."""

from __future__ import annotations

from docs.generate.figures.drawing import Drawing

SAMPLES = 4
# Operator, cycles a sample occupies it, cycles from its first input beat to its first output beat.
OPERATORS = (("conv", 10, 3), ("linear", 14, 4), ("linear", 8, 3))
_UNIT, _LEFT, _TOP, _ROW = 10.5, 110, 70, 46
_MEANING = (
    "latency: first input beat to last output beat of one sample. "
    "interval: last output beat to last output beat of the next."
)
_STYLES = ("blue", "green", "amber", "box")


def schedule() -> list[list[tuple[int, int]]]:
    """First and last cycle of every sample in every operator: it starts when its words are there, and it is free."""
    rows: list[list[tuple[int, int]]] = []
    for _, work, delay in OPERATORS:
        row: list[tuple[int, int]] = []
        for sample in range(SAMPLES):
            comes = rows[-1][sample][0] + rows_delay(len(rows) - 1) if rows else 0
            start = max(comes, row[-1][1] if row else 0)
            ends = max(start + work, rows[-1][sample][1] + delay) if rows else start + work
            row.append((start, ends))
        rows.append(row)
    return rows


def rows_delay(row: int) -> int:
    """Cycles before the first output beat of an operator."""
    return OPERATORS[row][2]


def draw() -> str:
    """The SVG."""
    rows = schedule()
    latency, interval = rows[-1][0][1], rows[-1][2][1] - rows[-1][1][1]
    d = Drawing(960, 290, f"A pipeline of three operators: latency {latency} cycles, interval {interval} cycles")
    for index, row in enumerate(rows):
        y = _TOP + index * _ROW
        d.text(20, y + 24, f"{OPERATORS[index][0]}", bold=True)
        for sample, (start, end) in enumerate(row):
            d.box(_x(start), y, (end - start) * _UNIT - 2, 34, _STYLES[sample], [f"sample {sample}"])
    _arrows(d, rows, latency, interval)
    return d.svg()


def _arrows(d: Drawing, rows: list[list[tuple[int, int]]], latency: int, interval: int) -> None:
    bottom = _TOP + len(rows) * _ROW
    for cycle in (0, latency):
        d.line([(_x(cycle), 40), (_x(cycle), bottom)], "dash")
    d.arrow([(_x(0), 46), (_x(latency), 46)], both=True)
    d.text(_x(latency / 2), 36, f"latency of sample 0: {latency} cycles", "middle", bold=True)
    first, second = rows[-1][1][1], rows[-1][2][1]
    for cycle in (first, second):
        d.line([(_x(cycle), bottom - 50), (_x(cycle), bottom + 26)], "dash")
    d.arrow([(_x(first), bottom + 20), (_x(second), bottom + 20)], both=True)
    d.text(
        _x((first + second) / 2),
        bottom + 42,
        f"interval: {interval} cycles, set by the slowest operator",
        "middle",
        bold=True,
    )
    d.text(_LEFT, bottom + 66, _MEANING, dim=True)


def _x(cycle: float) -> float:
    return _LEFT + cycle * _UNIT
