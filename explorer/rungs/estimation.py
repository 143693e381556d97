"""The second rung: resources, power and bounds from the models of the operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.constraints import certain_violations
from explorer.estimate import Estimate, estimate_design, hop_detail, overflows, resource_metrics
from explorer.power import energy_uj, power_w
from explorer.rungs.rung import Bench, Climb, Findings, Rung


class Estimation(Rung):
    """What the design needs, whether it fits its devices, and what it misses for certain."""

    name = "estimate"

    def key(self, climb: Climb) -> str | None:
        """None: it takes milliseconds."""
        return None

    def run(self, climb: Climb) -> Findings:
        """Resources per device, power, and the violations that no simulation can undo."""
        bench = climb.bench
        found = estimate_design(climb.design, bench.devices)
        power = power_w(climb.design, found, bench.devices, bench.clock_mhz)
        over = overflows(found, bench.devices)
        # The slowest operator bounds the interval from below: no simulation can meet what this misses.
        certain = certain_violations(bench.spec, speed_metrics(bench, power, found.interval_cycles))
        names = ", ".join(f"{name} by {amount:g}" for name, amount in over.items())
        return Findings(
            metrics={**found.metrics(), "clock_mhz": bench.clock_mhz, "est_power_w": power},
            detail={"devices": _device_detail(bench, found), "hops": hop_detail(climb.design, bench.platform)},
            over={**over, **certain},
            reason=f"the design does not fit: over {names}; use fewer lanes, narrower formats or more devices"
            if over
            else None,
        )


def speed_metrics(bench: Bench, power: float, interval: int) -> Mapping[str, float]:
    """What follows from an interval in cycles, at the bench's clock and a power in watts."""
    return {
        "meas_interval_cycles": float(interval),
        "throughput_per_s": bench.clock_mhz * 1e6 / interval,
        "est_energy_uj_per_inference": energy_uj(power, interval, bench.clock_mhz),
    }


def _device_detail(bench: Bench, found: Estimate) -> list[dict[str, Any]]:
    details = []
    for index, resources in sorted(found.devices.items()):
        device, used = bench.devices[index], resource_metrics(resources)
        share = {n: round(u / c, 4) for n, u in used.items() if (c := device.capacity()[n]) > 0}
        details.append({"index": index, "device": device.name, "used": used, "share": share})
    return details
