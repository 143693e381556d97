"""Devices as data: the catalogue of FPGA parts and boards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from hwgen.technology.resources import Resources
from hwgen.technology.technology import TechnologyError

_FOLDER = Path(__file__).parent / "catalogue"
BRAM_UNIT_KB = 18  # of every family's block RAM, see ``Resources``


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
    sources: tuple[str, ...] = ()
    estimates: tuple[str, ...] = ()
    notes: str = ""

    @property
    def resources(self) -> Resources:
        """What a design may occupy; the generated RTL uses no UltraRAM."""
        return Resources(self.lut, self.ff, self.dsp, self.bram_kb / BRAM_UNIT_KB)

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


def device(name: str) -> Device:
    """The catalogue's device of that name, in any case.

    Raises:
        TechnologyError: there is none; the message has the names that there are.
    """
    if name.lower() not in devices():
        raise TechnologyError(f"there is no device {name!r} in the catalogue; use one of {', '.join(devices())}")
    return devices()[name.lower()]
