from dataclasses import replace

import pytest

from explorer.accuracy import evaluation_data
from explorer.check import check, smallest_candidate
from explorer.choices import build_encoding
from explorer.constraints import certain_violations
from explorer.estimate import estimate_design
from explorer.hardware import Builder
from explorer.platform import platform_devices
from explorer.power import energy_uj, power_w
from explorer.spec import Constraint, JobSpec, Objective, PlatformDevice, PlatformSpec, SpaceSpec
from tests.explorer.graphs import mlp

ONE = JobSpec(model="m", platform=PlatformSpec((PlatformDevice("pynq-z2"),)), space=SpaceSpec(max_lanes=8))
TWO = replace(ONE, platform=PlatformSpec((PlatformDevice("pynq-z2", 2),)))
STATIC_W = 0.2


def figures(spec, widest=False, clock=100.0):
    """Power of the smallest or the widest design, and the interval of its slowest operator."""
    encoding = build_encoding(spec, mlp())
    candidate = encoding.decode(encoding.uniform(8, 8)) if widest else smallest_candidate(encoding)
    if widest:
        widest_lanes = {n.name: max((o.key for o in n.lanes), key=lambda k: k.in_lanes * k.out_lanes)
                        for n in encoding.space.nodes if n.lanes}  # fmt: skip
        candidate = replace(candidate, parallelism=widest_lanes)
    design = Builder(spec, mlp(), evaluation_data(spec, mlp(), None)).design(candidate)
    found = estimate_design(design, platform_devices(spec.platform))
    return power_w(design, found, platform_devices(spec.platform), clock), found.interval_cycles


def test_static_power_counts_the_devices_in_use_and_the_rest_follows_the_clock():
    slow, fast = figures(ONE)[0] - STATIC_W, figures(ONE, clock=200.0)[0] - STATIC_W
    assert 0 < slow < 0.1 and fast == pytest.approx(2 * slow)
    assert figures(TWO)[0] > 2 * STATIC_W


def test_more_lanes_take_more_power_and_less_energy():
    (small, slow), (large, fast) = figures(ONE), figures(ONE, widest=True)
    assert large > small and fast < slow
    assert energy_uj(large, fast, 100.0) < energy_uj(small, slow, 100.0)
    assert energy_uj(2.0, 50, 100.0) == 1.0  # two watts for half a microsecond


def test_jobs_may_ask_for_power_and_energy():
    objectives = (Objective("est_energy_uj_per_inference", "minimize"), Objective("est_power_w", "minimize"))
    constraints = (Constraint("est_power_w", max=10), Constraint("est_energy_uj_per_inference", max=1))
    spec = replace(ONE, objectives=objectives, constraints=constraints)
    assert check(spec, mlp(), None)["ok"]
    assert certain_violations(spec, {"est_energy_uj_per_inference": 1.5}) == {"est_energy_uj_per_inference": 0.5}
