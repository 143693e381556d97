import pytest

from explorer.errors import SpecError
from explorer.platform import clock_mhz, platform_devices
from explorer.spec import PlatformDevice, PlatformSpec
from hwgen.technology import FABRICS
from hwgen.technology.catalogue import devices

CUSTOM = {"name": "mine", "lut": 1000, "ff": 2000, "dsp": 4, "bram_kb": 72, "off_chip_gb_per_s": 1.0, "static_w": 0.1,
          "default_clock_mhz": 80.0}  # fmt: skip


def test_catalogue_has_real_parts_with_sources():
    assert len(devices()) >= 8
    for name, device in devices().items():
        assert name == device.name == name.lower()
        assert device.sources and all(device.sources)
        assert {"static_w", "default_clock_mhz"} <= set(device.estimates)
        assert "default_clock_mhz: assumed" in device.notes  # no design was routed on any of these parts
        assert device.lut > 0 and device.ff >= device.lut and device.dsp > 0 and device.bram_kb % 36 == 0


def test_known_capacities():
    u250 = devices()["u250"]
    assert (u250.lut, u250.dsp, u250.bram_kb, u250.uram_kb) == (1_728_000, 12_288, 2688 * 36, 1280 * 288)


def test_every_family_has_parts():
    assert {device.family for device in devices().values()} == {*FABRICS, "versal"}
    ecp5, zynq = devices()["lfe5u-85f"], devices()["xc7z045"]
    assert (ecp5.family, ecp5.lut, ecp5.dsp, ecp5.bram_kb) == ("ecp5", 83_640, 156, 208 * 18)
    assert (zynq.family, zynq.lut, zynq.ff, zynq.dsp, zynq.bram_kb) == ("series7", 218_600, 437_200, 900, 545 * 36)


def test_a_device_of_a_family_that_is_not_fitted_is_refused():
    assert "no technology" in devices()["vck190"].notes
    with pytest.raises(SpecError) as error:
        platform_devices(PlatformSpec((PlatformDevice("vck190"),)))
    assert error.value.pointer == "/platform/devices/0/device"
    assert "family versal" in error.value.detail and "ecp5" in error.value.detail


def test_platform_expands_counts_and_custom_devices():
    platform = PlatformSpec((PlatformDevice("U250", 2), PlatformDevice("mine", 1, CUSTOM)))
    found = platform_devices(platform)
    assert [d.name for d in found] == ["u250", "u250", "mine"]
    assert found[2].uram_kb == 0
    assert clock_mhz(platform) == 80.0


def test_unknown_device_is_refused_with_the_known_names():
    with pytest.raises(SpecError) as error:
        platform_devices(PlatformSpec((PlatformDevice("u250"), PlatformDevice("nope"))))
    assert error.value.pointer == "/platform/devices/1/device"
    assert "pynq-z2" in error.value.detail
