import itertools
import math

import pytest

from explorer.starts import fastest_fit, starting_points
from tests.explorer.spaces import small_encoding


def fullest(encoding, level, cuts):
    """Use of the scarcest resource of the fullest device, by the costs of each operator's lanes at the level."""
    lanes = encoding.decode({"level": level}).parallelism
    costs = [next(o.cost for o in n.lanes if o.key == lanes[n.name]) for n in encoding.space.nodes]
    segments = [costs[a:b] for a, b in itertools.pairwise([0, *cuts, len(costs)])]
    return max(sum(c) / cap for s in segments for c, cap in zip(zip(*s, strict=True), encoding.caps, strict=True))


def test_points_lie_in_the_box():
    encoding = small_encoding(4, 3)
    for point in starting_points(encoding):
        for name, (low, high) in encoding.box.items():
            assert low <= point.get(name, 0 if low <= 0 else high) <= high
        assert encoding.space.contains(encoding.decode(point)) is None


def test_balanced_cuts_minimise_the_fullest_device():
    encoding = small_encoding(5, 3)
    for level, devices in itertools.product(range(len(encoding.levels)), (1, 2, 3)):
        cuts = encoding.balanced_cuts(level, devices)
        best = min(fullest(encoding, level, c) for c in itertools.combinations(range(1, 5), devices - 1))
        assert cuts is not None and fullest(encoding, level, cuts) == best
    assert encoding.balanced_cuts(0, 6) is None


def test_more_devices_are_never_slower():
    encoding = small_encoding(4, 3)
    found = [fastest_fit(encoding, devices) for devices in (1, 2, 3)]
    levels = [fit[0] for fit in found if fit is not None]
    assert len(levels) == 3 and levels == sorted(levels)
    assert levels[0] < levels[-1]  # sixty-four multipliers a device are the scarce resource here


def test_some_start_uses_every_number_of_devices():
    encoding = small_encoding(4, 3)
    used = {len(set(encoding.decode(p).partition.values())) for p in starting_points(encoding)}
    assert used == {1, 2, 3}


@pytest.mark.parametrize("devices", [2, 3])
@pytest.mark.parametrize("busy", [(0, 900, 3, 900, 40), (0, 7, 7, 7, 7), (0, 60, 50, 30, 900), (0, 9e9, 9e9, 9e9, 9e9)])
def test_the_fastest_fit_knows_what_cuts_cost(devices, busy):
    encoding = small_encoding(5, 3, cut_cycles=busy)

    def interval(level, cuts):
        fits = fullest(encoding, level, cuts) <= 0.9
        return max(encoding.levels[level], *(busy[c] for c in cuts)) if fits else math.inf

    places = list(itertools.combinations(range(1, 5), devices - 1))
    level, cuts = fastest_fit(encoding, devices)
    best = min(interval(n, c) for n in range(len(encoding.levels)) for c in places)
    assert interval(level, cuts) == best
    # no slower level and no more balanced cuts are as fast
    assert all(interval(n, c) > best for n in range(level) for c in places)
    assert fullest(encoding, level, cuts) == min(
        fullest(encoding, level, c) for c in places if interval(level, c) == best
    )


def test_a_start_on_two_devices_cuts_where_little_crosses():
    encoding = small_encoding(4, 2, cut_cycles=(0, 5000, 4000, 10))
    cuts = {p["cut:1"] for p in starting_points(encoding) if p["cut:1"] < 4}
    assert cuts == {3}
