from dataclasses import replace

import pytest
from optuna.trial import TrialState

from explorer.constraints import told_violations
from explorer.result import TrialResult
from explorer.search import Sampling, Search, chosen_sampler
from explorer.spec import Constraint, JobSpec, SearchParameters
from tests.explorer.spaces import small_encoding

SPEC = JobSpec(model="m", search=SearchParameters(trials=60, seed=3))


def with_sampler(sampler, trials=60, seed=3):
    return replace(SPEC, search=SearchParameters(sampler=sampler, trials=trials, seed=seed))


def evaluate(candidate):
    """A toy machine: more bits are more accurate, more multipliers faster and larger; large ones do not fit."""
    multipliers = sum(p.in_lanes * p.out_lanes for p in candidate.parallelism.values())
    bits = sum(int(str(q.weight)[3:]) for q in candidate.quantization.values())
    constraints = {"est_lut": multipliers * bits - 400.0}
    if constraints["est_lut"] > 0:
        return TrialResult("infeasible", "too big", constraints=constraints)
    metrics = {
        "accuracy": 1 - 1 / bits,
        "throughput_per_s": 1e6 * multipliers,
        "est_lut": float(multipliers * bits),
    }
    return TrialResult("complete", metrics=metrics, constraints=constraints)


def run(search, trials):
    asked = []
    for _ in range(trials):
        candidate = search.ask()
        if candidate is None:
            break
        asked.append(candidate)
        search.tell(candidate, evaluate(candidate))
    return asked


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2", "nsga3"])
def test_candidates_are_legal_and_never_repeat(sampler):
    encoding = small_encoding()
    asked = run(Search.over(with_sampler(sampler), encoding), 60)
    assert len({c.digest() for c in asked}) == len(asked) == 60
    assert all(encoding.space.contains(c) is None for c in asked)


def test_one_worker_is_deterministic():
    runs = [[c.digest() for c in run(Search.over(with_sampler("tpe"), small_encoding()), 40)] for _ in range(2)]
    assert runs[0] == runs[1]


def test_exhaustive_enumerates_the_space_once():
    encoding = small_encoding(1, 1)
    search = Search.over(with_sampler("exhaustive"), encoding)
    asked = run(search, 10_000)
    assert len({c.digest() for c in asked}) == len(asked) == encoding.space.size


def test_auto_is_exhaustive_for_small_spaces():
    assert chosen_sampler(SPEC, 60) == "exhaustive"
    assert chosen_sampler(SPEC, 61) == "tpe"


def test_a_small_space_is_exhausted_by_any_sampler():
    encoding = small_encoding(1, 1, weights=("int4",), activations=("int8",))
    asked = run(Search.over(with_sampler("random", 100), encoding), 500)
    assert len({c.digest() for c in asked}) == len(asked) == encoding.space.size


def test_first_candidates_are_uniform_and_balanced_and_one_uses_two_devices():
    encoding = small_encoding()
    asked = run(Search.over(with_sampler("tpe"), encoding), 6)
    assert {f.weight for f in asked[0].quantization.values()} == {"int8"}
    assert any(set(c.partition.values()) == {0, 1} for c in asked)


def test_infeasible_candidates_steer_the_search_away():
    bad = {}
    for sampler in ("random", "tpe"):
        late = [evaluate(c) for c in run(Search.over(with_sampler(sampler, 120), small_encoding(4)), 120)[60:]]
        bad[sampler] = sum(r.state == "infeasible" for r in late)
    assert bad["tpe"] < bad["random"]


def test_restore_continues_without_repeating():
    encoding = small_encoding()
    search = Search.over(with_sampler("tpe"), encoding)
    history = [(c, evaluate(c)) for c in run(search, 25)]
    fresh = Search.over(with_sampler("tpe"), encoding)
    fresh.restore(history)
    later = run(fresh, 25)
    assert not {c.digest() for c, _ in history} & {c.digest() for c in later}


def test_parallel_asks_differ():
    search = Search.over(with_sampler("tpe"), small_encoding())
    asked = [search.ask() for _ in range(12)]
    assert len({c.digest() for c in asked}) == 12
    for candidate in reversed(asked):
        search.tell(candidate, evaluate(candidate))
    assert search.ask() is not None


def test_results_of_strangers_and_repeats_are_taken():
    encoding = small_encoding()
    search = Search.over(with_sampler("tpe"), encoding)
    stranger = encoding.space.design(5)
    search.tell(stranger, evaluate(stranger))
    search.tell(stranger, evaluate(stranger))
    assert stranger.digest() not in {c.digest() for c in run(search, 40)}


def test_violations_are_told_relative_to_their_bounds():
    spec = replace(SPEC, constraints=(Constraint("est_lut", max=1000.0), Constraint("accuracy", min=0.8)))
    result = TrialResult("infeasible", "why", constraints={"est_lut": 500.0, "accuracy": 0.4, "device0_dsp": 12288.0})
    assert told_violations(spec, result) == {"est_lut": 0.5, "accuracy": 0.5, "device0_dsp": 1.0}


def test_an_infeasible_result_always_violates_something():
    assert told_violations(SPEC, TrialResult("infeasible", "why")) == {"infeasible": 1.0}
    assert told_violations(SPEC, TrialResult("infeasible", "why", constraints={"odd": 7.0})) == {"odd": 1.0}


def test_an_enumerated_design_that_the_box_holds_is_told_to_the_sampler():
    encoding = small_encoding()
    proposer = Sampling(SPEC, encoding, "random", 0)
    found = [proposer._enumerated() for _ in range(200)]
    held = [encoding.encode(c) for c in found if encoding.encode(c) is not None]
    assert held
    for candidate in found:
        proposer.tell(candidate, evaluate(candidate))
    assert [t.params for t in proposer._study.get_trials(states=(TrialState.COMPLETE,))] == held
