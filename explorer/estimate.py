"""Estimates of a design before it is simulated: resources per device, bytes over links, a bound on the throughput."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.constraints import device_constraint
from hwgen.hardware.design import Design
from hwgen.hardware.operator import Operator
from hwgen.hardware.platform import Platform
from hwgen.technology import Resources, technology
from hwgen.technology.catalogue import BRAM_UNIT_KB, Device


@dataclass(frozen=True)
class Estimate:
    """What a design needs.

    Attributes:
        devices: per device index in use, the summed resources, in the units of the device's family.
        operators: per instance.
        interval_cycles: interval of the slowest operator, a lower bound of the design's.
        hop_bytes: payload bytes per inference over each hop in use, by sending and receiving device.
    """

    devices: Mapping[int, Resources]
    operators: Mapping[str, Resources]
    interval_cycles: int
    hop_bytes: Mapping[tuple[int, int], float]

    def metrics(self) -> dict[str, float]:
        """Metrics of the HTTP contract; the generated RTL uses no UltraRAM."""
        total = sum(self.devices.values(), Resources())
        return {**resource_metrics(total, "est_"), "est_uram_kb": 0.0, "devices_used": float(len(self.devices)),
                "link_bytes_per_inference": sum(self.hop_bytes.values())}  # fmt: skip


def resource_metrics(resources: Resources, prefix: str = "") -> dict[str, float]:
    """Resources under metric names; block RAM in kilobits."""
    return {
        f"{prefix}lut": round(resources.lut, 1),
        f"{prefix}ff": round(resources.ff, 1),
        f"{prefix}dsp": round(resources.dsp, 1),
        f"{prefix}bram_kb": round(resources.bram * BRAM_UNIT_KB, 1),
    }


def estimate_operator(operator: Operator, device: Device) -> Resources:
    """Resources of an operator on a device, by the technology of the device's family."""
    return technology(device.family).area(operator.bill())


def estimate_design(design: Design, devices: Sequence[Device]) -> Estimate:
    """Estimate a design from the bills and cycle models of its operators.

    Args:
        design: the design.
        devices: the platform's devices; each prices what is placed on it by its own family.
    """
    operators = {i.name: estimate_operator(i.operator, devices[i.device]) for i in design.instances}
    used: dict[int, Resources] = {}
    for instance in design.instances:
        used[instance.device] = used.get(instance.device, Resources()) + operators[instance.name]
    interval = max((i.operator.cycles().interval for i in design.instances), default=1)
    return Estimate(used, operators, interval, {hop: bits / 8 for hop, bits in design.hop_bits.items()})


def hop_detail(design: Design, platform: Platform) -> list[dict[str, Any]]:
    """What crosses each channel in use, and the fewest cycles per inference that it takes, as plain JSON types."""
    details = []
    for (source, target), bits in sorted(design.hop_bits.items()):
        (channel,) = platform.route(source, target)
        details.append(
            {
                "from": source,
                "to": target,
                "streams": sum(design.hop(link) == (source, target) for link in design.links),
                "bytes_per_inference": bits / 8,
                "bits_per_cycle": float(channel.bits_per_cycle),
                "least_interval_cycles": math.ceil(channel.cycles(bits)),
            }
        )
    return details


def overflows(found: Estimate, devices: Sequence[Device]) -> dict[str, float]:
    """Amount by which each resource of each device is exceeded; only what is exceeded."""
    over: dict[str, float] = {}
    for index, resources in found.devices.items():
        capacity = devices[index].capacity()
        for name, used in resource_metrics(resources).items():
            if used > capacity[name]:
                over[device_constraint(index, name)] = round(used - capacity[name], 1)
    return over
