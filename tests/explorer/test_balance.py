import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.balance import Option, balance, cheapest, intervals

options = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=4, unique=True
).map(lambda rows: [Option(i, row[0], (float(row[1]), float(row[2]))) for i, row in enumerate(rows)])
operators = st.lists(options, min_size=1, max_size=4).map(lambda rows: {f"n{i}": r for i, r in enumerate(rows)})
caps = st.tuples(st.integers(0, 16), st.integers(0, 16)).map(lambda c: (float(c[0]), float(c[1])))


def brute_force(ops, caps):
    """(smallest interval, least cost share at it) over every combination."""
    best = None
    for chosen in itertools.product(*ops.values()):
        cost = [sum(o.cost[d] for o in chosen) for d in range(len(caps))]
        if any(c > cap for c, cap in zip(cost, caps, strict=True)):
            continue
        slowest = max(o.interval for o in chosen)
        best = slowest if best is None else min(best, slowest)
    return best


@settings(max_examples=300, deadline=None)
@given(operators, caps)
def test_balance_is_exact(ops, caps):
    found = balance(ops, caps)
    expected = brute_force(ops, caps)
    assert (None if found is None else found.interval) == expected
    if found is not None:
        assert all(c <= cap for c, cap in zip(found.cost, caps, strict=True))
        assert set(found.chosen) == set(ops)
        assert found.interval == max(o.interval for o in found.chosen.values())


@settings(max_examples=200, deadline=None)
@given(operators, st.integers(1, 12))
def test_cheapest_at_an_interval(ops, interval):
    found = cheapest(ops, interval)
    legal = [c for c in itertools.product(*ops.values()) if max(o.interval for o in c) <= interval]
    if not legal:
        assert found is None
        return
    assert found is not None
    assert sum(found.cost) == min(sum(sum(o.cost) for o in c) for c in legal)


def test_the_slowest_operator_decides():
    lanes = {
        "big": [Option(n, 64 // n, (float(n),)) for n in (1, 2, 4, 8)],
        "small": [Option(n, 8 // n, (float(n),)) for n in (1, 2, 4, 8)],
    }
    found = balance(lanes, (9.0,))
    assert found is not None
    assert (found.interval, found.chosen["big"].key, found.chosen["small"].key) == (8, 8, 1)
    assert intervals(lanes) == [8, 16, 32, 64]


def test_many_operators_are_quick():
    ops = {
        f"n{i}": [Option(n, 4096 // n, (float(n), 100.0 / n + i)) for n in (1, 2, 4, 8, 16, 32, 64)] for i in range(40)
    }
    found = balance(ops, (700.0, 2000.0))
    assert found is not None and found.cost[0] <= 700
