"""The devices' links as lowering sees them: cycles and bits, not nanoseconds and gigabits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True)
class LinkTiming:
    """Links between devices.

    Attributes:
        topology: ``chain`` and ``ring`` connect neighbours, ``full`` connects all pairs.
        devices: how many there are.
        bits_per_cycle: payload bits that a link carries per clock cycle.
        latency_cycles: one-way latency.
    """

    topology: Literal["chain", "ring", "full"]
    devices: int
    bits_per_cycle: Fraction
    latency_cycles: int

    @staticmethod
    def of(
        topology: Literal["chain", "ring", "full"],
        devices: int,
        bandwidth_gbps: float,
        latency_ns: float,
        clock_mhz: float,
    ) -> LinkTiming:
        """Convert physical figures; the bandwidth is rounded down to 1/64 bit per cycle, the latency up."""
        bits = Fraction(math.floor(bandwidth_gbps * 1000 / clock_mhz * 64), 64)
        return LinkTiming(
            topology, devices, max(bits, Fraction(1, 64)), max(1, math.ceil(latency_ns * clock_mhz / 1000))
        )

    def next_hop(self, here: int, there: int) -> int:
        """The device after ``here`` on a shortest way to ``there``; words may cross devices on the way."""
        if self.topology == "full":
            return there
        step = 1 if there > here else -1
        if self.topology == "ring" and abs(there - here) > self.devices / 2:
            step = -step
        return (here + step) % self.devices
