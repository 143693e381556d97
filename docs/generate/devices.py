"""``reference/devices.md``: the device catalogue."""

from __future__ import annotations

from docs.generate.markdown import code, page, table
from hwgen.technology import FABRICS
from hwgen.technology.catalogue import Device, devices

_HEAD = [
    "device", "part", "family", "LUT", "flip-flops", "DSP", "block RAM, Kbit", "UltraRAM, Kbit", "off-chip, GB/s",
    "static, W", "clock, MHz",
]  # fmt: skip


def write() -> str:
    """The page."""
    known = devices().values()
    refused = [d.name for d in known if d.family not in FABRICS]
    return page(
        "Devices",
        "`hwgen/technology/catalogue/*.json`",
        f"{len(devices())} devices. Every default clock and static power is an assumption of ours, not a "
        f"measurement. Jobs refuse {code(*refused)}: no technology is fitted to that family. "
        "To add one: [Adding a device](../adding_a_device.md).",
        table(_HEAD, [_row(d) for d in known]),
        "## Sources",
        *(_sources(d) for d in known),
    )


def _row(d: Device) -> tuple[object, ...]:
    figures = (d.lut, d.ff, d.dsp, d.bram_kb, d.uram_kb)
    counts = [f"{round(figure):,}" for figure in figures]
    return (code(d.name), d.part, code(d.family), *counts, d.off_chip_gb_per_s, d.static_w, d.default_clock_mhz)


def _sources(d: Device) -> str:
    lines = [
        f"**{d.name}** ({d.part})",
        *(f"- {source}" for source in d.sources),
        f"- Our estimates: {code(*d.estimates)}",
    ]
    return "\n".join([lines[0], "", *lines[1:], f"- {d.notes}"])
