import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.partition import cut_chain

chains = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5)), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    chains,
    st.lists(st.integers(0, 14), min_size=1, max_size=4),
    st.lists(st.integers(0, 12), min_size=7, max_size=7),
    st.booleans(),
)
def test_cut_chain_is_exact(chain, capacity, links, exactly):
    def segment_cost(first, end, device):
        if sum(size for _, size in chain[first:end]) > capacity[device]:
            return math.inf
        return max(cycles for cycles, _ in chain[first:end])

    best = None
    for used in range(1, len(capacity) + 1):
        if exactly and used != len(capacity):
            continue
        for inner in itertools.combinations(range(1, len(chain)), used - 1):
            bounds = (0, *inner, len(chain))
            worst = max(segment_cost(a, b, d) for d, (a, b) in enumerate(itertools.pairwise(bounds)))
            worst = max([worst, *(links[p] for p in inner)])
            if math.isfinite(worst) and (best is None or worst < best):
                best = worst
    found = cut_chain(len(chain), len(capacity), segment_cost, lambda p: links[p], exactly)
    if exactly and len(capacity) > len(chain):
        assert found is None
    else:
        assert (None if found is None else found.bottleneck) == best
    if found is not None:
        assert found.bounds[0] == 0 and found.bounds[-1] == len(chain)
        assert all(a < b for a, b in itertools.pairwise(found.bounds))
