"""Power and energy of a design, estimated: no board is measured, and no synthesis tool is asked.

Static power is that of the devices in use, from the catalogue. Dynamic power is an energy per clock cycle for each
resource: flip-flops are clocked always, the others switch in the share of the cycles in which their operator works.
The energies are our estimates for 16 nm UltraScale+ at 0.85 V when an eighth of the nets toggle in a cycle, routing
included. Expect a factor of two or three: the figures rank designs, they size no supply.

There are no energies of 7 series (28 nm) and ECP5 (40 nm): their designs are priced with those of UltraScale+, their
own counts and their own static power. That dynamic part is no estimate of their power and probably far too low (a sheet
for 28 nm gives a multiplication 23 pJ, not 2). It ranks designs on one device, it compares no families.
"""

from __future__ import annotations

from collections.abc import Sequence

from explorer.estimate import Estimate
from hwgen.hardware.design import Design
from hwgen.technology import Resources
from hwgen.technology.catalogue import Device

LUT_PJ = 0.04
FF_PJ = 0.01
DSP_PJ = 2.0
BRAM_PJ = 3.0


def power_w(design: Design, found: Estimate, devices: Sequence[Device], clock_mhz: float) -> float:
    """Power in watts while samples follow each other without a gap.

    Args:
        design: the design.
        found: its estimate.
        devices: the platform's devices, as ``found`` counts them.
        clock_mhz: clock of all of them.
    """
    static = sum(devices[index].static_w for index in found.devices)
    cycle_pj = sum(
        _cycle_pj(found.operators[i.name], min(1.0, i.operator.cycles().interval / found.interval_cycles))
        for i in design.instances
    )
    return static + cycle_pj * clock_mhz * 1e-6


def energy_uj(power: float, interval_cycles: float, clock_mhz: float) -> float:
    """Energy of one inference in microjoules: ``power`` watts for as long as the next inference takes to follow."""
    return power * interval_cycles / clock_mhz


def _cycle_pj(resources: Resources, busy: float) -> float:
    switching = resources.lut * LUT_PJ + resources.dsp * DSP_PJ + resources.bram * BRAM_PJ
    return resources.ff * FF_PJ + busy * switching
