import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import explorer.rungs.simulation
from explorer.candidate import Candidate, NodeFormats, NodeLanes
from explorer.errors import DatasetError, DesignDefect
from explorer.evaluate import Evaluator
from explorer.result import TrialResult
from explorer.rungs.judgement import Judgement
from explorer.rungs.rung import Climb
from explorer.spec import Constraint, JobSpec, LinkSpec, PlatformDevice, PlatformSpec, SimulationSpec
from tests.explorer.graphs import mlp

GRAPH = mlp((4, 3, 2))
SPEC = JobSpec(model="m", dataset="d", platform=PlatformSpec((PlatformDevice("pynq-z2", 2),)))


def candidate(lanes=1, weight="int4", second_device=0):
    return Candidate(
        {
            "x": NodeFormats(None, "int8"),
            "fc0": NodeFormats(weight, "int8"),
            "fc1": NodeFormats(weight, "int16"),
        },
        {"fc0": NodeLanes(lanes, 1), "fc1": NodeLanes(1, 1)},
        {"fc0": 0, "fc1": second_device},
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    GRAPH.save(folder / "graph")
    generator = np.random.default_rng(0)
    np.savez(folder / "data.npz", inputs=generator.normal(size=(40, 4)), targets=generator.integers(0, 2, 40))
    return folder


def make(files, cache, spec=SPEC):
    return Evaluator(spec, files / "graph", files / "data.npz", cache)


@pytest.fixture(scope="module")
def evaluator(files, cache_directory):
    return make(files, cache_directory)


@pytest.fixture(scope="module")
def single(evaluator):
    stages = []
    result = evaluator.evaluate(candidate(), on_stage=stages.append)
    return result, stages


def assert_a_pipeline(operators, streams):
    """Every operator can be reached from what enters the design, and from each one what leaves it."""
    names = {o["name"] for o in operators}
    assert {end for s in streams for end in (s["producer"], s["consumer"])} == names | {None}
    reached = {None}
    for _ in operators:
        reached |= {s["consumer"] for s in streams if s["producer"] in reached}
    assert reached == names | {None}
    assert all(s["transfers"] == 4 * s["beats"] for s in streams)


def test_a_complete_trial_has_every_metric_and_compared_every_word(single):
    result, stages = single
    assert result.state == "complete" and result.reason is None
    assert stages == [s.name for s in result.stages] == ["legality", "estimate", "accuracy", "build", "simulate"]
    assert result.exact is not None
    assert (result.exact.mismatched_words, result.exact.compared_words) == (0, 4 * 2)
    assert result.metrics["meas_interval_cycles"] == 12  # three outputs of four inputs, one by one
    assert result.metrics["throughput_per_s"] == pytest.approx(100e6 / 12)
    assert (result.metrics["clock_mhz"], result.clock_source) == (100, "requested")
    assert result.metrics["latency_ns"] == result.metrics["meas_latency_cycles"] * 10
    assert {"accuracy", "float_accuracy", "est_lut", "est_ff", "est_dsp", "est_bram_kb"} <= set(result.metrics)
    assert result.metrics["devices_used"] == 1 and result.metrics["link_bytes_per_inference"] == 0
    static, power = 0.2, result.metrics["est_power_w"]
    assert static < power < static + 1e-2  # one pynq-z2
    # 12 cycles at 100 MHz
    assert result.metrics["est_energy_uj_per_inference"] == pytest.approx(power * 0.12)
    operators = result.detail["operators"]
    assert {o["source"] for o in operators} == {"fc0", "fc1"}
    for figure in ("est_lut", "est_ff", "est_dsp", "est_bram_kb"):
        assert round(sum(o[figure] for o in operators), 1) == pytest.approx(result.metrics[figure], abs=0.2)
    assert any(o["est_lut"] > 0 for o in operators) and all(o["busy_cycles"] > 0 for o in operators)
    assert_a_pipeline(operators, result.detail["streams"])
    assert result.detail["outputs"] == [
        {"name": "y", "accuracy": result.metrics["accuracy"], "float_accuracy": result.metrics["float_accuracy"]}
    ]
    assert [t["node"] for t in result.detail["tensors"]] == ["fc0", "fc1"]
    assert all(0 < t["error"] < 0.5 for t in result.detail["tensors"])
    assert result.provenance["metric"] == "top1" and result.provenance["evaluation_data"] == "dataset"


def test_a_result_is_plain_json(single):
    result, _ = single
    text = json.dumps(result.to_json(), allow_nan=False)
    assert TrialResult.from_json(json.loads(text)).metrics == result.metrics


def test_two_devices_give_the_same_words_later(evaluator, single):
    result = evaluator.evaluate(candidate(second_device=1))
    assert result.state == "complete"
    assert result.metrics["accuracy"] == single[0].metrics["accuracy"]
    assert result.metrics["devices_used"] == 2
    assert result.metrics["link_bytes_per_inference"] == 3
    # the flight time of the link alone is 500 ns at 100 MHz
    assert result.metrics["meas_latency_cycles"] >= single[0].metrics["meas_latency_cycles"] + 50
    assert [s.cache_hit for s in result.stages if s.name == "accuracy"] == [True]
    (hop,) = result.detail["hops"]
    assert (hop["from"], hop["to"], hop["streams"], hop["bytes_per_inference"]) == (0, 1, 1, 3)
    assert hop["bits_per_cycle"] == 1000 and hop["least_interval_cycles"] == 1


def test_a_slow_link_bounds_the_estimate_and_the_measurement(files, cache_directory):
    link = LinkSpec(bandwidth_gbps=0.1)  # a bit a cycle at 100 MHz
    result = make(files, cache_directory, replace(SPEC, platform=replace(SPEC.platform, link=link))).evaluate(
        candidate(second_device=1)
    )
    assert result.state == "complete" and result.detail["hops"][0]["least_interval_cycles"] == 24
    assert result.metrics["meas_interval_cycles"] == 24


def test_sign_off_equals_the_composed_simulation(evaluator, single):
    answer = evaluator.sign_off(candidate(), single[0])
    assert answer["equal"] is True and answer["mismatched_words"] == 0
    assert answer["monolithic"]["meas_latency_cycles"] == single[0].metrics["meas_latency_cycles"]
    json.dumps(answer, allow_nan=False)


def test_sign_off_against_another_record_is_unequal(evaluator, single):
    other = replace(single[0], metrics={**single[0].metrics, "meas_latency_cycles": 1.0})
    assert evaluator.sign_off(candidate(), other)["equal"] is False


def test_the_bundle_holds_the_simulated_design(evaluator, single, tmp_path):
    evaluator.export(candidate(), single[0], tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        names = set(archive.namelist())
        signature = json.loads(archive.read("signature.json"))
    assert {"Makefile", "README.md", "signature.json", "manifest.json"} <= names
    assert {s["name"] for s in signature["streams"]} == {"x", "output0"}


def test_no_bundle_when_the_cycles_are_not_those_on_record(evaluator, single, tmp_path):
    other = replace(single[0], metrics={**single[0].metrics, "meas_interval_cycles": 1.0})
    with pytest.raises(DesignDefect):
        evaluator.export(candidate(), other, tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()


@pytest.mark.parametrize(
    ("constraint", "last", "amount"),
    [
        (Constraint("est_lut", max=10), "estimate", None),
        (Constraint("throughput_per_s", min=1e8), "estimate", 1e8 - 100e6 / 12),
        (Constraint("accuracy", min=1.0), "accuracy", None),
        (Constraint("meas_latency_cycles", max=20), "simulate", None),
    ],
)
def test_a_violated_constraint_ends_the_climb_where_it_shows(files, cache_directory, constraint, last, amount):
    evaluator = make(files, cache_directory, replace(SPEC, constraints=(constraint,)))
    result = evaluator.evaluate(candidate())
    assert result.state == "infeasible"
    assert result.stages[-1].name == last
    assert result.constraints[constraint.metric] > 0
    assert constraint.metric in str(result.reason)
    if amount is not None:
        assert result.constraints[constraint.metric] == pytest.approx(amount)


def test_a_met_constraint_is_recorded_as_not_positive(files, cache_directory):
    spec = replace(SPEC, constraints=(Constraint("est_lut", max=1e6), Constraint("meas_latency_cycles", max=1000)))
    result = make(files, cache_directory, spec).evaluate(candidate())
    assert result.state == "complete"
    assert set(result.constraints) == {"est_lut", "meas_latency_cycles"}
    assert all(v <= 0 for v in result.constraints.values())


def test_what_does_not_fit_says_by_how_much(files, cache_directory):
    tiny = {"name": "tiny", "lut": 200, "ff": 100_000, "dsp": 10, "bram_kb": 180, "off_chip_gb_per_s": 0,
            "static_w": 0, "default_clock_mhz": 100}  # fmt: skip
    spec = replace(SPEC, platform=PlatformSpec((PlatformDevice("tiny", 2, tiny),)))
    result = make(files, cache_directory, spec).evaluate(candidate())
    assert result.state == "infeasible" and "device0_lut" in str(result.reason)
    assert result.constraints["device0_lut"] == pytest.approx(result.metrics["est_lut"] - 200)


def test_candidates_outside_the_space_are_infeasible(evaluator):
    for wrong, word in ((candidate(weight="int5"), "int5"), (candidate(lanes=3), "3 lanes"),
                        (Candidate({}, {}, {}), "no number formats")):  # fmt: skip
        result = evaluator.evaluate(wrong)
        assert result.state == "infeasible" and word in str(result.reason)
        assert not result.metrics and result.exact is None


def test_a_wrong_word_is_our_defect(evaluator, monkeypatch):
    def broken(*arguments):
        measured = simulate(*arguments)
        return replace(measured, mismatched_words=1)

    simulate = explorer.rungs.simulation.simulate
    monkeypatch.setattr(explorer.rungs.simulation, "simulate", broken)
    with pytest.raises(DesignDefect):
        evaluator.evaluate(candidate())


def test_the_accuracy_of_a_plan_is_kept_on_disk(files, cache_directory):
    plan = candidate(weight="int6")
    first, second = make(files, cache_directory).evaluate(plan), make(files, cache_directory).evaluate(plan)
    stages = {stage.name: stage for stage in second.stages}
    assert stages["accuracy"].cache_hit
    assert second.metrics["accuracy"] == first.metrics["accuracy"]
    assert second.detail["outputs"] == first.detail["outputs"]


def test_equal_plans_share_their_accuracy_and_other_plans_do_not(files, cache_directory):
    bench = make(files, cache_directory)._bench
    keys = {name: Judgement().key(Climb(bench, made)) for name, made in {
        "plan": candidate(), "lanes": candidate(lanes=1), "formats": candidate(weight="int6")}.items()}  # fmt: skip
    assert keys["plan"] == keys["lanes"] != keys["formats"]


def test_without_data_agreement_on_generated_inputs(files, cache_directory):
    spec = replace(SPEC, dataset=None, simulation=SimulationSpec(samples=1))
    result = Evaluator(spec, files / "graph", None, cache_directory).evaluate(candidate())
    assert result.provenance["evaluation_data"] == "generated inputs"
    assert result.provenance["metric"] == "agreement" and result.metrics["float_accuracy"] == 1.0
    assert result.exact is not None and result.exact.samples == 2  # an interval lies between two samples


def test_data_of_the_wrong_shape_is_refused(files, tmp_path, cache_directory):
    np.savez(tmp_path / "d.npz", inputs=np.zeros((4, 5)))
    with pytest.raises(DatasetError):
        Evaluator(SPEC, files / "graph", tmp_path / "d.npz", cache_directory)


def test_the_trace_has_every_cycle_of_every_operator(evaluator, tmp_path):
    """The same cycles that were counted in the first simulation, split over time, on two devices."""
    split = candidate(second_device=1)
    result = evaluator.evaluate(split)
    out = tmp_path / "trace.json"
    evaluator.activity(split, result, out)
    trace = json.loads(out.read_text())
    assert list(tmp_path.iterdir()) == [out]
    named = {(e["pid"], e["tid"]): e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "thread_name"}
    processes = {e["pid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"}
    assert processes == {0: "device 0: pynq-z2", 1: "device 1: pynq-z2"}
    operators = {o["name"]: o for o in result.detail["operators"]}
    assert {o["role"] for o in operators.values()} >= {"operator", "link"}
    assert sorted(named.values()) == sorted(operators)
    for place, name in named.items():
        slices = [e for e in trace["traceEvents"] if e["ph"] == "X" and (e["pid"], e["tid"]) == place]
        for state in ("busy", "blocked", "starved"):
            assert sum(e["args"][f"{state}_cycles"] for e in slices) == operators[name][f"{state}_cycles"]
        assert [e["ts"] for e in slices[1:]] == [e["ts"] + e["dur"] for e in slices[:-1]]  # no gap and no overlap
        assert slices[0]["ts"] == 0 and all(sum(e["args"].values()) == e["dur"] for e in slices)


def test_no_trace_of_a_result_that_is_not_reproduced(evaluator, single, tmp_path):
    result, _ = single
    other = replace(result, metrics={**result.metrics, "meas_latency_cycles": 1.0})
    with pytest.raises(DesignDefect, match="meas_latency_cycles"):
        evaluator.activity(candidate(), other, tmp_path / "trace.json")
