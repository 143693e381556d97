"""A tensor as a stream of beats, and the handshake that moves them."""

from __future__ import annotations

from collections.abc import Sequence

from docs.generate.figures.drawing import Drawing

TOKENS, FEATURES, LANES = 2, 6, 3
# A beat moves in a cycle where valid and ready are both high.
VALID = (1, 1, 1, 1, 1, 0, 1, 0)
READY = (1, 1, 0, 1, 1, 1, 1, 1)
_CYCLE, _LEFT = 62, 430


def moved() -> list[bool]:
    """Whether a beat moves, by cycle."""
    return [bool(v and r) for v, r in zip(VALID, READY, strict=True)]


def draw() -> str:
    """The SVG."""
    d = Drawing(
        960, 270, "A tensor of 2 tokens by 6 features, 3 lanes: four beats, moved where valid and ready are high"
    )
    _tensor(d)
    _wave(d, "valid", 50, VALID)
    _wave(d, "ready", 100, READY)
    _payload(d)
    return d.svg()


def _tensor(d: Drawing) -> None:
    d.text(20, 34, f"{TOKENS} tokens × {FEATURES} features", bold=True)
    for token in range(TOKENS):
        for feature in range(FEATURES):
            beat = token * FEATURES // LANES + feature // LANES
            d.box(
                20 + 44 * feature,
                50 + 46 * token,
                40,
                40,
                ("blue", "green", "amber", "red")[beat],
                [f"{token},{feature}"],
            )
    d.text(20, 172, f"{LANES} lanes: {LANES} elements a beat, lane 0 lowest.", dim=True)
    d.text(20, 192, "Features are innermost; a beat never spans two tokens.", dim=True)
    d.text(20, 212, "last marks the last beat of a sample.", dim=True)


def _wave(d: Drawing, name: str, y: float, levels: Sequence[int]) -> None:
    d.text(_LEFT - 12, y + 20, name, "right", bold=True)
    points: list[tuple[float, float]] = []
    for cycle, level in enumerate(levels):
        height = y + (4 if level else 26)
        points += [(_LEFT + _CYCLE * cycle, height), (_LEFT + _CYCLE * (cycle + 1), height)]
    d.line(points)


def _payload(d: Drawing) -> None:
    d.text(_LEFT - 12, 170, "payload", "right", bold=True)
    d.text(_LEFT - 12, 220, "last", "right", bold=True)
    beats = TOKENS * FEATURES // LANES
    beat = 0
    for cycle, moves in enumerate(moved()):
        x = _LEFT + _CYCLE * cycle
        if VALID[cycle]:
            style = ("blue", "green", "amber", "red")[beat % beats]
            d.box(x + 2, 150, _CYCLE - 4, 30, style, [f"beat {beat % beats}"])
            level = 204 if beat % beats == beats - 1 else 226
        else:
            level = 226
        d.line([(x, level), (x + _CYCLE, level)])
        if moves:
            d.text(x + _CYCLE / 2, 256, "moves", "middle", dim=True)
            beat += 1
        elif VALID[cycle]:
            d.text(x + _CYCLE / 2, 256, "waits", "middle", dim=True)
