from __future__ import annotations

import pytest

from explorer.result import TrialResult
from explorer.shortfall import Shortfall, explain, shortfalls
from explorer.spec import Constraint, JobSpec, Objective


def infeasible(constraints, reason="no", **metrics):
    return TrialResult("infeasible", reason, metrics, constraints=constraints)


def test_a_bound_that_nobody_met_is_named_with_the_best_value() -> None:
    spec = JobSpec("m", constraints=(Constraint("accuracy", min=0.999), Constraint("est_dsp", max=10)))
    outcomes = {
        0: infeasible({"accuracy": 0.049, "est_dsp": -2.0}, accuracy=0.95, est_dsp=8.0),
        1: infeasible({"accuracy": 0.027, "est_dsp": -4.0}, accuracy=0.972, est_dsp=6.0),
        2: infeasible({"accuracy": 0.027, "est_dsp": 0.0}, accuracy=0.972, est_dsp=10.0),
        3: infeasible({"est_dsp": 5.0}, est_dsp=15.0),
    }
    assert shortfalls(spec, outcomes) == [Shortfall("accuracy >= 0.999", "accuracy", 0.972, 1)]
    assert explain(spec, outcomes) == (
        "none of 4 candidates is feasible: accuracy >= 0.999: best 0.972 reached by trial 1"
    )


def test_bounds_met_one_by_one_but_not_together() -> None:
    spec = JobSpec("m", constraints=(Constraint("accuracy", min=0.9), Constraint("est_lut", max=1000)))
    outcomes = {
        0: infeasible({"accuracy": -0.05, "est_lut": 900.0}, accuracy=0.95, est_lut=1900.0),
        1: infeasible({"accuracy": 0.01, "est_lut": -10.0}, accuracy=0.89, est_lut=990.0),
    }
    assert shortfalls(spec, outcomes) == [Shortfall("accuracy >= 0.9", "accuracy", 0.89, 1)]


def test_a_device_that_nobody_fits_into() -> None:
    outcomes = {
        0: infeasible({"device0_lut": 5000.0}, est_lut=1.0, est_dsp=1.0),
        1: infeasible({"device0_lut": 300.0, "device0_dsp": 7.0}, est_lut=1.0, est_dsp=1.0),
    }
    (missed,) = shortfalls(JobSpec("m"), outcomes)
    assert missed.constraint.startswith("lut of device 0 (u250) <= 1.7") and missed.number == 1
    outcomes[2] = infeasible({}, "no legal design", est_lut=1.0)
    nearest = [(each.metric, each.number) for each in shortfalls(JobSpec("m"), outcomes)]
    assert nearest == [("est_lut", 1), ("est_dsp", 1)], "what the nearest of those that miss anything misses"


@pytest.mark.parametrize(
    ("constraint", "violation", "text", "best"),
    [
        (Constraint("est_power_w", max=3), 0.5, "est_power_w <= 3", 3.5),
        (Constraint("accuracy", min=0.5), 0.125, "accuracy >= 0.5", 0.375),
        (Constraint("est_dsp", min=2, max=4), 1.0, "2 <= est_dsp <= 4", 5.0),
    ],
)
def test_a_value_that_only_a_bound_is_known_of(constraint, violation, text, best) -> None:
    spec = JobSpec("m", constraints=(constraint,))
    found = shortfalls(spec, {4: infeasible({constraint.metric: violation})})
    assert [(each.constraint, each.best) for each in found] == [(text, best)]


def test_what_to_say_when_no_constraint_was_measured() -> None:
    spec = JobSpec("m")
    assert "raise its budgets" in explain(spec, {})
    assert explain(spec, {0: infeasible({}, "no legal design: x")}).endswith("the last reason: no legal design: x")
    took = {0: infeasible({"evaluation_seconds": 9.0}, "took longer")}
    assert shortfalls(spec, took) == [] and explain(spec, took).endswith("took longer")
    blind = JobSpec("m", objectives=(Objective("est_power_w", "minimize"),))
    assert "est_power_w not measured" in explain(blind, {0: TrialResult("complete", metrics={"accuracy": 1.0})})
