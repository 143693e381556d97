"""Devices as data: the catalogue of FPGA parts and boards, and the devices and links of a job's platform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from explorer.errors import SpecError
from explorer.spec import PlatformSpec
from hwgen.errors import IllegalGraph
from hwgen.hardware.platform import LEAST_BITS_PER_CYCLE, Platform
from hwgen.technology import FABRICS

_FOLDER = Path(__file__).parent / "catalogue"
BRAM_UNIT_KB = 18  # of every family's block RAM, see ``hwgen.technology.Resources``


@dataclass(frozen=True)
class Device:
    """One FPGA.

    Attributes:
        name: catalogue name, lower case, or the user's own.
        family: its technology, ``ultrascale_plus``, ``series7`` or ``ecp5``; another one is not fitted, and refused.
        lut, ff, dsp: LUTs (six inputs; four in ECP5), flip-flops, DSP slices (18 x 18 multipliers in ECP5).
        bram_kb, uram_kb: block RAM and UltraRAM in kilobits (1,024 bits; a block of 36 Kb counts 36, an EBR 18).
        off_chip_gb_per_s: peak bandwidth of the attached memory, gigabytes per second.
        static_w: static power in watts.
        default_clock_mhz: clock used when the job names none.
        part: manufacturer's part behind a board's name.
        open_flow: part that open tools place and route for, as it is ordered; empty where they know none.
        sources: documents that the capacities come from.
        estimates: fields that no document states for our use: our estimates.
        notes: what to know about the figures.
    """

    name: str
    family: str
    lut: int
    ff: int
    dsp: int
    bram_kb: float
    uram_kb: float
    off_chip_gb_per_s: float
    static_w: float
    default_clock_mhz: float
    part: str = ""
    open_flow: str = ""
    sources: tuple[str, ...] = ()
    estimates: tuple[str, ...] = ()
    notes: str = ""

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Device:
        """Read a catalogue entry or a job's own device; unknown keys are ignored, ``uram_kb`` may be absent.

        A job's own device without a ``family`` is one of UltraScale+, as the HTTP contract says.
        """
        known = {f.name for f in fields(Device)}
        values: dict[str, Any] = {"uram_kb": 0.0, "family": "ultrascale_plus"}
        values |= {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known}
        return Device(**values)

    def capacity(self) -> dict[str, float]:
        """Capacities by the resource part of the metric names: ``lut``, ``ff``, ``dsp``, ``bram_kb``, ``uram_kb``."""
        return {name: float(getattr(self, name)) for name in ("lut", "ff", "dsp", "bram_kb", "uram_kb")}


@cache
def devices() -> Mapping[str, Device]:
    """The shipped catalogue by name."""
    entries = [entry for path in sorted(_FOLDER.glob("*.json")) for entry in json.loads(path.read_text("utf-8"))]
    return {entry["name"]: Device.from_json(entry) for entry in sorted(entries, key=lambda e: str(e["name"]))}


def platform_devices(platform: PlatformSpec) -> tuple[Device, ...]:
    """The platform's devices one by one, in the order that partitions count them.

    Raises:
        SpecError: a name that is not in the catalogue, with the names that are; or a family that is not fitted.
    """
    found: list[Device] = []
    for index, entry in enumerate(platform.devices):
        if entry.custom is not None:
            device = Device.from_json(entry.custom)
        elif entry.device.lower() in devices():
            device = devices()[entry.device.lower()]
        else:
            known = ", ".join(devices())
            raise SpecError(
                f"/platform/devices/{index}/device",
                f"there is no device {entry.device!r} in the catalogue; use one of {known}, or describe your own",
            )
        _require_technology(device, index)
        found += [device] * entry.count
    return tuple(found)


def _require_technology(device: Device, index: int) -> None:
    if device.family not in FABRICS:
        raise SpecError(
            f"/platform/devices/{index}/device",
            f"{device.name} is of the family {device.family}, whose resources cannot be estimated: no technology is "
            f"fitted to it; use a device of {', '.join(FABRICS)}",
        )


def routable(platform: PlatformSpec) -> bool:
    """Whether open tools place and route for any of the platform's devices."""
    return any(device.open_flow for device in platform_devices(platform))


def clock_mhz(platform: PlatformSpec) -> float:
    """The clock of every device: the platform's, or the slowest default of its devices."""
    if platform.clock_mhz is not None:
        return platform.clock_mhz
    return min(device.default_clock_mhz for device in platform_devices(platform))


def connected_devices(platform: PlatformSpec) -> Platform:
    """The platform's devices and the links between them, in cycles of its clock.

    Raises:
        SpecError: an unknown device, or links that are slower than the slowest that can be simulated.
    """
    names = [device.name for device in platform_devices(platform)]
    link, clock = platform.link, clock_mhz(platform)
    try:
        return Platform.connected(link.topology, names, link.bandwidth_gbps, link.latency_ns, clock)
    except IllegalGraph as error:
        least = float(LEAST_BITS_PER_CYCLE) * clock / 1000
        raise SpecError(
            "/platform/link/bandwidth_gbps",
            f"links carry at least {least:g} Gbit/s at {clock:g} MHz, not {link.bandwidth_gbps:g}",
        ) from error
