"""How the hypervolume of a job grew: a few points in its row for lists, every step in its events."""

from __future__ import annotations

from collections.abc import Sequence

from db.rows import VolumePoint

POINTS = 60


def extended(history: Sequence[VolumePoint], point: VolumePoint) -> list[VolumePoint]:
    """The history with a new last point, and without the one that is missed least when there are too many.

    The history is a curve of steps. Without a point the step before it lasts longer: what is missed is its height above
    that step times the trials until the next one.
    """
    points = [*history, point]
    if len(points) <= POINTS:
        return points

    def missed(index: int) -> float:
        before, here, behind = points[index - 1 : index + 2]
        return abs(here["hypervolume"] - before["hypervolume"]) * (behind["trials"] - here["trials"])

    least = min(range(1, len(points) - 1), key=missed)
    return points[:least] + points[least + 1 :]
