import itertools

from explorer.candidate import Candidate, NodeFormats, NodeLanes
from explorer.importance import MAX_TRIALS, MIN_TRIALS, decisions, evenly, importances
from explorer.spec import JobSpec, Objective

SPEC = JobSpec(model="m", objectives=(Objective("accuracy", "maximize"), Objective("est_lut", "minimize")))


def candidate(bits: int, lanes: int, device: int = 0) -> Candidate:
    formats = {"x": NodeFormats(None, "int8"), "fc": NodeFormats(f"int{bits}", "int8")}
    return Candidate(formats, {"fc": NodeLanes(lanes, 1)}, {"fc": device})


def grid() -> list[tuple[Candidate, dict[str, float]]]:
    """Accuracy follows the width alone, LUTs the lanes alone; the device decides nothing."""
    found = []
    for bits, lanes, device in itertools.product((2, 3, 4, 6, 8), (1, 2, 4, 8), (0, 1)):
        found.append((candidate(bits, lanes, device), {"accuracy": bits / 10, "est_lut": 100.0 * lanes}))
    return found


def test_what_decides_comes_first() -> None:
    shares = importances(SPEC, grid())
    assert set(shares) == {"accuracy", "est_lut"}
    assert next(iter(shares["accuracy"])) == "weight:fc" and next(iter(shares["est_lut"])) == "in_lanes:fc"
    assert shares["accuracy"]["weight:fc"] > 0.9 and shares["est_lut"]["in_lanes:fc"] > 0.9
    # what never changed is left out
    assert set(shares["accuracy"]) == {"weight:fc", "in_lanes:fc", "device:fc"}


def test_too_little_says_nothing() -> None:
    few = grid()[: MIN_TRIALS - 1]
    assert importances(SPEC, few) == {}
    partly = [(c, {"est_lut": m["est_lut"]}) for c, m in grid()]
    assert set(importances(SPEC, partly)) == {"est_lut"}
    same = [(c, {"accuracy": 0.5}) for c, _ in grid()]
    assert importances(SPEC, same) == {"accuracy": {}}


def test_decisions_have_names_and_shards_have_theirs() -> None:
    split = Candidate({"fc": NodeFormats("int4", "int8")}, {"fc": NodeLanes(2, 4)}, {"fc": (0, 1)}, {"tensor": 2})
    assert decisions(split) == {
        "weight:fc": "int4", "activation:fc": "int8", "in_lanes:fc": "2", "out_lanes:fc": "4", "device:fc": "(0, 1)",
        "tensor": "2",
    }  # fmt: skip


def test_trials_are_bounded_and_spread() -> None:
    assert evenly(5) == [0, 1, 2, 3, 4]
    chosen = evenly(100_000)
    assert len(chosen) == len(set(chosen)) == MAX_TRIALS and (chosen[0], chosen[-1]) == (0, 99_999)
