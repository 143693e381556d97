"""A rung for designs of the front: the clock that place and route gives them, device by device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.estimate import estimate_design
from explorer.power import energy_uj, power_w
from explorer.rungs.rung import Climb, Findings, Rung
from hwgen.errors import ToolError, Unroutable
from hwgen.synthesis.route import Routed
from hwgen.tools.ecp5 import Part

_SUMMED = ("lut", "ff", "dsp", "bram", "shell_lut", "shell_ff", "bitstream_bytes")
_REASON_CHARACTERS = 1000


@dataclass(frozen=True)
class Attempt:
    """What came of one device: its figures, or why it has none."""

    device: int
    name: str
    routed: Routed | None
    reason: str | None

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        where = {"index": self.device, "device": self.name}
        if self.routed is None:
            return where | {"reason": self.reason}
        return where | self.routed.figures.to_json() | {"bitstream_bytes": self.routed.bitstream_bytes}


class Routing(Rung):
    """Not on the ladder that every candidate climbs: it takes minutes, so it is asked about the front alone."""

    name = "route"

    def key(self, climb: Climb) -> str | None:
        """None: the router has a key for the text of each device."""
        return None

    def run(self, climb: Climb) -> Findings:
        """The routed clock and what follows from it; with ``reason``, why the clock stays what it was.

        Nothing that a design or a tool does here raises: the trial keeps what it has, and the reason.
        """
        attempts = [self._attempt(climb, device) for device in sorted(climb.design.devices)]
        devices = [attempt.record() for attempt in attempts]
        routed = [attempt.routed for attempt in attempts if attempt.routed is not None]
        if len(routed) < len(attempts):
            reasons = [f"device {a.device}: {a.reason}" for a in attempts if a.reason is not None]
            return Findings(detail={"routed": None, "devices": devices}, reason="; ".join(reasons))
        fmax = min(each.figures.fmax_mhz for each in routed)
        return Findings(
            metrics=clocked(climb, fmax),
            detail={"routed": summary(devices), "devices": devices},
            cached=all(each.cached for each in routed),
        )

    def _attempt(self, climb: Climb, index: int) -> Attempt:
        bench, device = climb.bench, climb.bench.devices[index]
        if not device.open_flow:
            reason = f"{device.name} has no open place and route; the clock stays the {bench.clock_source} one"
            return Attempt(index, device.name, None, reason)
        try:
            part = Part.parse(device.open_flow)
            return Attempt(index, device.name, bench.router.route(climb.design, index, part), None)
        except (Unroutable, ToolError) as error:
            return Attempt(index, device.name, None, str(error)[:_REASON_CHARACTERS])


def summary(devices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The record of a routed design: clock, part and critical path of its slowest device, area of all of them."""
    slowest = min(devices, key=lambda device: float(device["fmax_mhz"]))
    return {**slowest, **{name: sum(device[name] for device in devices) for name in _SUMMED}}


def clocked(climb: Climb, fmax_mhz: float) -> dict[str, float]:
    """The metrics that a routed clock changes, at the slower of it and the one that was asked for.

    The flight time of links was simulated in cycles of the requested clock; at a slower one it is fewer of them, so
    ``latency_ns`` of several devices is an upper bound.
    """
    bench, known = climb.bench, climb.metrics
    clock = min(bench.clock_mhz, fmax_mhz)
    interval = int(known["meas_interval_cycles"])
    power = power_w(climb.design, estimate_design(climb.design, bench.devices), bench.devices, clock)
    return {
        "meas_fmax_mhz": fmax_mhz,
        "clock_mhz": clock,
        "throughput_per_s": clock * 1e6 / interval,
        "latency_ns": known["meas_latency_cycles"] * 1e3 / clock,
        "est_power_w": power,
        "est_energy_uj_per_inference": energy_uj(power, interval, clock),
    }
