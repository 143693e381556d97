import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from explorer.check import check
from explorer.spec import (
    Constraint,
    JobSpec,
    LinkSpec,
    Objective,
    PlatformDevice,
    PlatformSpec,
    SearchParameters,
    SpaceSpec,
)
from hwgen.model.kinds.linear import Linear
from tests.explorer.graphs import mlp

SPEC = JobSpec(model="m", space=SpaceSpec(weight_bits=(4, 8), activation_bits=(8,), max_lanes=2))


def pointers(spec, dataset=None, graph=None):
    answer = check(spec, graph or mlp(), dataset)
    assert answer["ok"] is False and answer["detail"]
    return [error["pointer"] for error in answer["errors"]]


def test_a_satisfiable_job_tells_the_size_of_its_space():
    answer = check(SPEC, mlp(), None)
    # two layers: weights 2 each, hidden activation 1, lanes (1, 2) x (1, 2) and (1, 2) x (1)
    assert answer["ok"] is True
    assert answer["space_size"] == 2 * 2 * 4 * 2
    assert answer["trials_total"] == 32 and answer["sampler"] == "exhaustive"
    assert answer["metric"] == "agreement"


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (Constraint("accuracy", min=1.2), "never more than 1"),
        (Constraint("est_dsp", max=-1), "never less than"),
        (Constraint("est_lut", max=1), "never less than"),
        (Constraint("throughput_per_s", min=1e12), "never more than"),
        (Constraint("meas_interval_cycles", max=1), "never less than"),
        (Constraint("devices_used", min=2), "never more than 1"),
        (Constraint("meas_latency_cycles", max=2), "never less than 3"),
        (Constraint("latency_ns", max=9), "never less than 10"),
        (Constraint("clock_mhz", min=301), "never more than 300"),
        (Constraint("clock_mhz", max=299), "never less than 300"),
        (Constraint("est_power_w", max=0), "never less than"),
        (Constraint("est_energy_uj_per_inference", max=1e-9), "never less than"),
        (Constraint("link_bytes_per_inference", min=1), "never more than 0"),
        (Constraint("est_ff", min=2e9), "at least 2e+09 and at most 1e+09"),
    ],
)
def test_constraints_no_candidate_can_meet(constraint, words):
    spec = replace(SPEC, constraints=(Constraint("est_ff", max=1e9), constraint))
    answer = check(spec, mlp(), None)
    assert answer["errors"][0]["pointer"] == "/constraints/1"
    assert words in answer["errors"][0]["detail"]


def test_unknown_names():
    assert pointers(replace(SPEC, objectives=(Objective("speed", "maximize"),))) == ["/objectives/0/metric"]
    assert pointers(replace(SPEC, constraints=(Constraint("est_joy", max=5),))) == ["/constraints/0/metric"]
    assert pointers(replace(SPEC, metric="f1")) == ["/metric"]
    assert pointers(replace(SPEC, metric="top1")) == ["/metric"]
    platform = PlatformSpec((PlatformDevice("u9000"),))
    assert pointers(replace(SPEC, platform=platform)) == ["/platform/devices/0/device"]


def test_a_device_too_small_for_one_lane():
    tiny = {"name": "tiny", "lut": 10, "ff": 10, "dsp": 0, "bram_kb": 0, "off_chip_gb_per_s": 0, "static_w": 0,
            "default_clock_mhz": 100}  # fmt: skip
    platform = PlatformSpec((PlatformDevice("tiny", 1, tiny),))
    assert pointers(replace(SPEC, platform=platform)) == ["/platform/devices"]


def test_links_that_are_too_slow_or_too_long():
    def answer(count, **link):
        spec = replace(SPEC, platform=PlatformSpec((PlatformDevice("u250", count),), LinkSpec(**link)))
        return check(spec, mlp(), None)

    # at 300 MHz a sixty-fourth of a bit per cycle is 4.6875 Mbit/s
    slow = answer(2, bandwidth_gbps=0.0046)
    assert slow["errors"][0]["pointer"] == "/platform/link/bandwidth_gbps" and "0.0046875" in slow["detail"]
    assert answer(2, bandwidth_gbps=0.0047)["ok"] and answer(1, bandwidth_gbps=1e-9)["ok"]
    # buffers for a second of flight fit on no device, but one device needs no link
    assert answer(2, latency_ns=1e9)["ok"]


def test_a_data_set_of_the_wrong_shape(tmp_path):
    np.savez(tmp_path / "d.npz", inputs=np.zeros((4, 5)))
    assert pointers(SPEC, tmp_path / "d.npz") == ["/dataset"]
    np.savez(tmp_path / "e.npz", inputs=np.zeros((4, 8)), targets=np.array([0, 1, 2, 3]))
    assert pointers(replace(SPEC, dataset="d"), tmp_path / "e.npz") == ["/dataset"]


def test_an_error_is_not_maximised():
    spec = replace(SPEC, metric="mse")
    assert pointers(spec) == ["/objectives/0/direction"]
    body = {"model": "m", "metric": "mse", "space": {"max_lanes": 2}}
    assert check(JobSpec.from_json(body), mlp(), None)["ok"]


def test_real_targets_are_met_by_default(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", inputs=rng.normal(size=(6, 8)), targets=rng.normal(size=(6, 3)))
    body = {"model": "m", "dataset": "d", "objectives": [], "space": {"max_lanes": 2}}
    answer = check(JobSpec.from_json(body), mlp(), tmp_path / "d.npz")
    assert answer["ok"] and answer["metric"] == "mse"


def test_a_model_that_overflows_is_refused(tmp_path):
    graph = mlp()
    (first, *_) = (node for node in graph.nodes if isinstance(node.kind, Linear))
    first.tensors["weight"].read()[:] = 3e38
    for metric in (None, "mse", "cosine"):
        assert pointers(replace(SPEC, metric=metric), graph=graph) == ["/model"]
    np.savez(tmp_path / "d.npz", inputs=np.full((4, 8), 1e-3))
    assert check(SPEC, graph, tmp_path / "d.npz")["ok"]
    np.savez(tmp_path / "d.npz", inputs=np.full((4, 8), 1e3))
    assert pointers(SPEC, tmp_path / "d.npz", graph) == ["/dataset"]


def test_large_spaces_are_sampled():
    answer = check(replace(SPEC, search=SearchParameters(trials=5)), mlp(), None)
    assert answer["sampler"] == "tpe" and answer["trials_total"] == 5


def test_command_prints_json(tmp_path):
    mlp().save(tmp_path / "graph")
    (tmp_path / "spec.json").write_text(json.dumps(SPEC.to_json()))
    command = [sys.executable, "-m", "explorer.check", str(tmp_path / "spec.json"), str(tmp_path / "graph")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ok"] is True
