from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.pareto import hypervolume, pareto_front
from explorer.result import TrialResult
from explorer.spec import JobSpec, Objective

SPEC = JobSpec(model="m")


def result(accuracy, throughput, lut, **more):
    metrics = {"accuracy": accuracy, "throughput_per_s": throughput, "est_lut": lut}
    return TrialResult("complete", metrics=metrics, **more)


points = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12)


def better(a, b):
    signs = (1, 1, -1)
    return all(s * x >= s * y for s, x, y in zip(signs, a, b, strict=True)) and a != b


@settings(max_examples=200, deadline=None)
@given(points)
def test_front_is_the_non_dominated_set(rows):
    results = [result(a / 4, t * 1000.0, u * 100.0) for a, t, u in rows]
    assert pareto_front(SPEC, results) == [i for i, r in enumerate(rows) if not any(better(o, r) for o in rows)]


@settings(max_examples=100, deadline=None)
@given(points)
def test_hypervolume_never_falls(rows):
    results = [result(a / 4, t * 1000.0, u * 100.0) for a, t, u in rows]
    volumes = [hypervolume(SPEC, results[:n]) for n in range(len(results) + 1)]
    assert volumes == sorted(volumes)
    assert 0 <= volumes[-1] <= 1


def test_only_feasible_complete_trials_count():
    good = result(0.9, 100.0, 10.0)
    results = [
        TrialResult("infeasible", "too big", metrics=dict(good.metrics), constraints={"fit": 1.0}),
        replace(good, constraints={"accuracy": 0.1}),
        TrialResult("complete", metrics={"accuracy": 1.0}),
        good,
    ]
    assert pareto_front(SPEC, results) == [3]
    assert hypervolume(SPEC, results[:3]) == 0.0
    assert hypervolume(SPEC, results) == pytest.approx(hypervolume(SPEC, [good]))


def test_an_error_above_one_still_counts_in_the_hypervolume():
    """Real targets make the mean squared error the default metric, which knows no upper bound."""
    spec = JobSpec(model="m", objectives=(Objective("accuracy", "minimize"), Objective("est_lut", "minimize")))
    volumes = [hypervolume(spec, [result(error, 1.0, 100.0)]) for error in (50.0, 5.0, 2.0)]
    assert 0 < volumes[0] < volumes[1] < volumes[2] < 1
