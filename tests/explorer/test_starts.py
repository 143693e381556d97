import itertools

from explorer.starts import fastest_fit, starting_points
from tests.explorer.spaces import small_encoding


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
        best = min(encoding.fullest(level, c) for c in itertools.combinations(range(1, 5), devices - 1))
        assert cuts is not None and encoding.fullest(level, cuts) == best
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
