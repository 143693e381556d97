"""Exact pipeline partitioning: cut a chain of operators over a chain of devices so that the worst part is best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Cuts:
    """A chain cut into segments.

    Attributes:
        bounds: segment ``d`` (on device ``d``) holds units ``bounds[d] .. bounds[d + 1] - 1``.
        bottleneck: the largest cost of any segment or cut.
    """

    bounds: tuple[int, ...]
    bottleneck: float


def cut_chain(
    units: int,
    devices: int,
    segment_cost: Callable[[int, int, int], float],
    cut_cost: Callable[[int], float],
    exactly: bool = False,
) -> Cuts | None:
    """Cut ``units`` operators over the first devices of a chain, minimising the bottleneck; exact.

    Args:
        units: operators in topological order.
        devices: devices available.
        segment_cost: ``(first, end, device)`` -> cost of units ``first .. end - 1`` on ``device``, infinite where they
            do not fit. Every segment has at least one unit.
        cut_cost: ``position`` -> cost of a cut between units ``position - 1`` and ``position``, in the same unit.
        exactly: use all ``devices`` instead of as many as help.

    Returns:
        The best cuts, with the fewest devices among equals; None when nothing fits.
    """
    # best[end] for the current number of segments: (bottleneck, bounds) of units 0 .. end - 1.
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (0,))}
    answer: Cuts | None = None
    for device in range(min(devices, units)):
        extended: dict[int, tuple[float, tuple[int, ...]]] = {}
        for first, (so_far, bounds) in best.items():
            if first == units:
                continue  # no cut behind the last unit
            link = cut_cost(first) if first else 0.0
            for end in range(first + 1, units + 1):
                worst = max(so_far, link, segment_cost(first, end, device))
                if math.isfinite(worst) and (end not in extended or worst < extended[end][0]):
                    extended[end] = (worst, (*bounds, end))
        best = extended
        if units in best and (not exactly or device == devices - 1):
            worst, bounds = best[units]
            if answer is None or worst < answer.bottleneck:
                answer = Cuts(bounds, worst)
    return answer
