"""Designs worth trying first, from the exact answers: balanced lanes, and balanced cuts that fill the devices."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.encoding import LEVEL, Encoding, Point

_FILL = 0.9  # of a device's scarcest resource at the nominal width: the rest is for adapters, links and buffers

_MOST_DEVICES = 4
_SLOWEST = 500_000  # cycles per inference: slower designs simulate for minutes, which is no way to start


def starting_points(encoding: Encoding) -> list[Point]:
    """Uniform widths, balanced lanes: a middling speed, the fastest that fits each number of devices, the slowest."""
    last = len(encoding.levels) - 1
    units = len(encoding.space.units)
    most = max(1, min(encoding.space.devices, units))
    filled = [
        (level, cuts) for n in range(1, most + 1) if (found := fastest_fit(encoding, n)) for level, cuts in [found]
    ]
    middle = (filled[0][0] if filled else last) // 2
    points = [_point(encoding, 8, 8, middle)]
    points += [_point(encoding, 8, 8, level, cuts) for level, cuts in filled]
    points.append(_point(encoding, 8, 8, next((i for i, n in enumerate(encoding.levels) if n <= _SLOWEST), last)))
    if most > 1:
        points.append(_point(encoding, 8, 8, middle, encoding.balanced_cuts(middle, 2) or ()))
    fast = filled[-1] if filled else (last, ())
    points += [_point(encoding, 4, 8, *fast), _point(encoding, 4, 4, middle), _point(encoding, 6, 6, *fast)]
    return points


def fastest_fit(encoding: Encoding, devices: int) -> tuple[int, tuple[int, ...]] | None:
    """The fastest level that fits on exactly so many devices at the nominal width, and the cuts that fit it best.

    Exact in the levels and cuts; adapters, links and buffers are allowed for by leaving a part of each device free.
    """
    for level in reversed(range(len(encoding.levels))):
        cuts = encoding.balanced_cuts(level, devices)
        if cuts is not None and encoding.fullest(level, cuts) <= _FILL:
            return level, cuts
    return None


def _point(encoding: Encoding, weights: int, activations: int, level: int, cuts: Sequence[int] = ()) -> Point:
    unused = {f"cut:{d}": len(encoding.space.units) for d in range(1, encoding.space.devices)}
    placed = {f"cut:{d}": cut for d, cut in enumerate(cuts, start=1)}
    return {**encoding.uniform(weights, activations), LEVEL: level, **unused, **placed}
