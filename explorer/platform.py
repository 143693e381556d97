"""The devices and links of a job's platform."""

from __future__ import annotations

from explorer.errors import SpecError
from explorer.spec import PlatformSpec
from hwgen.errors import IllegalGraph
from hwgen.hardware.platform import LEAST_BITS_PER_CYCLE, Platform
from hwgen.technology import FABRICS
from hwgen.technology.catalogue import Device, devices


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
