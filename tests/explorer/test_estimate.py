"""Estimates of designs: every device prices what is placed on it by its own family."""

from dataclasses import replace

import pytest

from explorer.accuracy import evaluation_data
from explorer.check import check, smallest_candidate
from explorer.choices import build_encoding
from explorer.estimate import estimate_design
from explorer.hardware import Builder
from explorer.platform import platform_devices
from explorer.spec import Constraint, JobSpec, PlatformDevice, PlatformSpec, SpaceSpec
from tests.explorer.graphs import mlp


def job(*names):
    platform = PlatformSpec(tuple(PlatformDevice(name) for name in names))
    return JobSpec(model="m", platform=platform, space=SpaceSpec(max_lanes=8))


def estimated(spec):
    encoding = build_encoding(spec, mlp())
    design = Builder(spec, mlp(), evaluation_data(spec, mlp(), None)).design(smallest_candidate(encoding))
    return estimate_design(design, platform_devices(spec.platform))


def test_the_family_of_the_device_decides():
    found = {name: sum(r.lut for r in estimated(job(name)).devices.values()) for name in ("lfe5u-85f", "pynq-z2")}
    assert found["lfe5u-85f"] > 1.2 * found["pynq-z2"]  # look-up tables of four inputs hold less


def test_a_platform_may_mix_families():
    mixed, pynq = estimated(job("lfe5u-85f", "pynq-z2")), estimated(job("pynq-z2", "pynq-z2"))
    assert set(mixed.devices) == set(pynq.devices) == {0, 1}
    assert mixed.devices[1] == pynq.devices[1]
    assert mixed.devices[0] != pynq.devices[0]


def test_bounds_of_a_mixed_platform_are_those_of_the_cheapest_family():
    # What is attainable on either device is not refused, even if the other family needs more.
    spec = job("lfe5u-85f", "pynq-z2")
    least = sum(r.lut for r in estimated(job("pynq-z2")).devices.values())
    assert check(replace(spec, constraints=(Constraint("est_lut", max=least),)), mlp(), None)["ok"]


@pytest.mark.parametrize("name", ["lfe5u-25f", "xc7z045", "u250"])
def test_jobs_run_on_every_family(name):
    assert check(job(name), mlp(), None)["ok"]
