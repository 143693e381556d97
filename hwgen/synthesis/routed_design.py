"""A whole design, placed and routed: each device alone, all for the part of one target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hwgen.hardware.design import Design
from hwgen.synthesis.route import Routed, Router
from hwgen.technology.catalogue import Device
from hwgen.tools.ecp5 import CriticalPath, Part


@dataclass(frozen=True)
class RoutedDesign:
    """What place and route measured.

    Attributes:
        devices: each device by itself; links between them have two ends on two devices and are in none.
    """

    devices: tuple[Routed, ...]

    @property
    def clock_mhz(self) -> float:
        """The fastest clock, of the slowest device."""
        return self._slowest.figures.fmax_mhz

    @property
    def critical_path(self) -> CriticalPath:
        """What limits that clock."""
        return self._slowest.figures.critical_path

    @property
    def lut(self) -> int:
        """LUTs of four inputs of all devices."""
        return sum(each.figures.lut for each in self.devices)

    @property
    def ff(self) -> int:
        """Flip-flops of all devices."""
        return sum(each.figures.ff for each in self.devices)

    @property
    def dsp(self) -> int:
        """Multipliers of 18 x 18 bits of all devices."""
        return sum(each.figures.dsp for each in self.devices)

    @property
    def bram(self) -> int:
        """Block RAMs of 18 Kbit of all devices."""
        return sum(each.figures.bram for each in self.devices)

    @property
    def bitstreams(self) -> tuple[Path, ...]:
        """The bitstream of each device, in the cache."""
        return tuple(each.bitstream for each in self.devices)

    @property
    def _slowest(self) -> Routed:
        return min(self.devices, key=lambda each: each.figures.fmax_mhz)


def route_design(design: Design, target: Device | None, router: Router, seed: int = 1) -> RoutedDesign:
    """Place and route every device of a design for the same part.

    Args:
        design: a verified design.
        target: the device that the design was made for.
        router: runs the programs and keeps what they found.
        seed: of the placer; another seed is another measurement.

    Raises:
        ValueError: there is no target, or no open tool places and routes for it.
        Unroutable: a device does not fit its part, or cannot be routed.
        ToolError: a program is missing, was killed, or took longer than its limit.
    """
    if target is None or not target.open_flow:
        name = "a design without a target" if target is None else target.name
        raise ValueError(
            f"no open tool places and routes {name}; design for an ECP5 device, such as target='lfe5u-85f'"
        )
    part = Part.parse(target.open_flow)
    return RoutedDesign(tuple(router.route(design, device, part, seed) for device in sorted(design.devices)))
