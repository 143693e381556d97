from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.candidate import NodeLanes
from explorer.encoding import LEVEL, Encoding
from explorer.space import NodeSpace, Space
from hwgen.lowering.balance import Option, intervals, share

CAPS = (7.0, 3.0)
options = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=5, unique=True
).map(lambda rows: tuple(Option(NodeLanes(i, 1), row[0], tuple(map(float, row[1:]))) for i, row in enumerate(rows)))


@settings(max_examples=300, deadline=None)
@given(st.lists(options, min_size=1, max_size=4))
def test_a_level_gives_every_operator_the_cheapest_lanes_that_reach_its_interval(lanes):
    nodes = tuple(NodeSpace(f"n{i}", ("int4",), ("int8",), found) for i, found in enumerate(lanes))
    encoding = Encoding(Space(nodes, tuple(n.name for n in nodes)), CAPS, (0.0,) * len(nodes))
    for level, interval in enumerate(encoding.levels):
        candidate = encoding.decode({LEVEL: level})
        for node in nodes:
            chosen = next(o for o in node.lanes if o.key == candidate.parallelism[node.name])
            assert chosen.interval <= interval
            assert share(chosen, CAPS)[0] == min(share(o, CAPS)[0] for o in node.lanes if o.interval <= interval)


def test_no_interval_is_shorter_than_the_fastest_option_of_any_operator():
    lanes = {
        "big": [Option(n, 64 // n, (float(n),)) for n in (1, 2, 4, 8)],
        "small": [Option(n, 8 // n, (float(n),)) for n in (1, 2, 4, 8)],
    }
    assert intervals(lanes) == [8, 16, 32, 64]
