"""The devices' links as lowering sees them: cycles and bits, not nanoseconds and gigabits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal


@dataclass(frozen=True)
class LinkTiming:
    """Links between devices.

    Attributes:
        topology: ``chain`` and ``ring`` connect neighbours, ``full`` connects all pairs.
        devices: how many there are.
        bits_per_cycle: payload bits that a link carries per clock cycle.
        latency_cycles: one-way latency.
    """

    LEAST_BITS_PER_CYCLE: ClassVar[Fraction] = Fraction(1, 64)

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
        """Convert physical figures: the bandwidth is rounded down to a multiple of the least rate, the latency up.

        A bandwidth below the least rate becomes that rate; ``explorer.check`` refuses it where links are used.
        """
        least = LinkTiming.LEAST_BITS_PER_CYCLE
        bits = max(1, math.floor(bandwidth_gbps * 1000 / clock_mhz / least)) * least
        return LinkTiming(topology, devices, bits, max(1, math.ceil(latency_ns * clock_mhz / 1000)))

    def next_hop(self, here: int, there: int) -> int:
        """The device after ``here`` on a shortest way to ``there``; words may cross devices on the way."""
        if self.topology == "full":
            return there
        step = 1 if there > here else -1
        if self.topology == "ring" and abs(there - here) > self.devices / 2:
            step = -step
        return (here + step) % self.devices
