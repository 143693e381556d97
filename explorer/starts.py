"""Designs worth trying first, from the exact answers: balanced lanes, and cuts that fill devices and spare links."""

from __future__ import annotations

import math
from collections.abc import Sequence

from explorer.candidate import TENSOR
from explorer.encoding import LEVEL, Encoding, Point

_FILL = 0.9  # of a device's scarcest resource at the nominal width: the rest is for adapters, links and buffers

_MOST_DEVICES = 4
_SLOWEST = 500_000  # cycles per inference: slower designs simulate for minutes, which is no way to start


def starting_points(encoding: Encoding) -> list[Point]:
    """Uniform widths, balanced lanes: a middling speed, the fastest that fits each number of devices, the slowest."""
    last = len(encoding.levels) - 1
    units = len(encoding.space.units)
    most = max(1, min(encoding.space.devices, units))
    filled = [found for n in range(1, most + 1) if (found := fastest_fit(encoding, n)) is not None]
    middle = (filled[0][0] if filled else last) // 2
    points = [_point(encoding, 8, 8, middle)]
    points += [_point(encoding, 8, 8, level, cuts) for level, cuts in filled]
    points.append(_point(encoding, 8, 8, next((i for i, n in enumerate(encoding.levels) if n <= _SLOWEST), last)))
    two = encoding.fastest_cuts(middle, 2, math.inf) if most > 1 else None
    if two is not None:
        points.append(_point(encoding, 8, 8, middle, two[1]))
    fast = filled[-1] if filled else (last, ())
    points += [_point(encoding, 4, 8, *fast), _point(encoding, 4, 4, middle), _point(encoding, 6, 6, *fast)]
    if encoding.space.tensor:
        points.append(_point(encoding, 8, 8, middle) | {TENSOR: 1})
    return points


def fastest_fit(encoding: Encoding, devices: int) -> tuple[int, tuple[int, ...]] | None:
    """The fastest design that fits on exactly so many devices at the nominal width: its level and cuts.

    Exact in the levels and cuts, links included: of the levels that are equally fast, because a link is slower, it is
    the cheapest one. Adapters, links and buffers are allowed for by leaving a part of each device free.
    """
    best: tuple[float, int, tuple[int, ...]] | None = None
    for level in reversed(range(len(encoding.levels))):
        found = encoding.fastest_cuts(level, devices, _FILL)
        if found is not None and (best is None or found[0] <= best[0]):
            best = (found[0], level, found[1])
    return None if best is None else best[1:]


def _point(encoding: Encoding, weights: int, activations: int, level: int, cuts: Sequence[int] = ()) -> Point:
    unused = {f"cut:{d}": len(encoding.space.units) for d in range(1, encoding.space.devices)}
    placed = {f"cut:{d}": cut for d, cut in enumerate(cuts, start=1)}
    return {**encoding.uniform(weights, activations), LEVEL: level, **unused, **placed}
