"""The parts of every operator: terms of the resource model from RTL parameters, one function per library module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log2

from hwgen import resource_arithmetic as arithmetic
from hwgen.resource_blocks import async_ram, bits, dsp_slices, ram, rom_lut
from hwgen.resource_terms import Terms, table_payload


def stream_only(p: dict[str, int], t: Terms) -> None:
    """A module without a description of its own: a spill register of its payload."""
    t.stream(p.get("Width", p.get("Lanes", 1) * p.get("OutWidth", 8)))
    t.control(2)


def _window(p: dict[str, int], t: Terms) -> None:
    payload = p["Lanes"] * p["ElementWidth"] + p["ExpWidth"]
    depth = p["Rows"] * p["GridColumns"] * p["Blocks"]
    reach_y = p["OutRows"] * p["StrideH"] + p["KernelH"] * p["DilationH"] + p["PadTop"] + p["GridRows"]
    reach_x = p["OutColumns"] * p["StrideW"] + p["KernelW"] * p["DilationW"] + p["PadLeft"] + p["GridColumns"]
    t.memory("buffer", ram(depth, payload))
    t.control(p["KernelH"], p["KernelW"], p["Blocks"], p["OutRows"], p["OutColumns"], p["Rows"] + p["GridRows"])
    y, x, column, address = bits(reach_y) + 1, bits(reach_x) + 1, bits(reach_x * p["Blocks"]) + 1, bits(2 * depth)
    t.add("position", 3.0 * (3 * y + 2 * x + 3 * column), float(3 * y + 2 * x + 3 * column))
    t.add("address", 3.0 * 5 * address, 4.0 * address)
    t.stream(payload)


def _fifo(p: dict[str, int], t: Terms) -> None:
    if p["Depth"] <= 2:
        t.stream(p["Width"])
        t.control(1)
        return
    t.memory("memory", ram(p["Depth"] - 1, p["Width"] + 1))
    if t.bram18 == 0:
        t.add("head", ff=p["Width"] + 1.0)
    t.control(p["Depth"] - 1, p["Depth"] - 1, p["Depth"])


def _adapter(p: dict[str, int], t: Terms) -> None:
    first, later, unit = p["InUnits"], p["OutUnits"], p["UnitWidth"]
    capacity = first + later + min(first, later) - 1
    # A unit of the store keeps its place, moves down, or comes from one of several places of the input. The mapper
    # decodes the place anew for each bit, the more so the more places there are.
    if first == 1:
        form, luts = ("append odd", 1.5) if later % 2 else ("append even", 3.2 if later > 2 else 1.8)
    elif capacity < 8:
        form, luts = "spread few", 2.8
    elif capacity < 16:
        form, luts = "spread", 4.3
    else:
        form, luts = "spread many", 12.0
    t.add(form, luts * capacity * unit)
    t.add("last", float(capacity) * log2(capacity + 1) / 2)
    t.add("data", ff=float(capacity * (unit + 1)))
    t.control(capacity + 1)


def _fork(p: dict[str, int], t: Terms, copies: int) -> None:
    t.stream(p["Width"])
    t.control(*[2] * copies)


def _concat(p: dict[str, int], t: Terms) -> None:
    t.stream(p["Width"])
    t.add("select", p["Width"] * 0.5)
    t.control(p["BeatsA"] + p["BeatsB"])


def _slice(p: dict[str, int], t: Terms) -> None:
    t.stream(p["Width"])
    t.control(p["Period"], p["Periods"])


def _repeat(p: dict[str, int], t: Terms) -> None:
    t.stream(p["Width"])
    if p["Copies"] > 1:
        t.memory("memory", async_ram(p["Beats"], p["Width"]))
        t.add("select", p["Width"] + 15.0)
    t.control(p["Beats"], p["Copies"])


def _link(p: dict[str, int], t: Terms) -> None:
    delay = p["CyclesPerBeat"] - 1 + p["LatencyCycles"]
    t.memory("flight", ram(delay, p["Width"] + 1))
    _fifo({"Width": p["Width"], "Depth": p["Credits"]}, t)
    # Shift registers with a reset, of the beats and of the credits in flight.
    t.add("delay", 0.6 * (delay + p["LatencyCycles"]), float(delay + p["LatencyCycles"]))
    t.control(p["CyclesPerBeat"] + 1, p["Credits"] + 1, delay)


def _embedding(p: dict[str, int], t: Terms) -> None:
    depth, width = p["Vocabulary"] * p["Blocks"], p["Lanes"] * p["OutWidth"]
    t.constants(depth, width)
    t.dsp += dsp_slices(p["InWidth"], bits(p["Blocks"] + 1)) if p["Blocks"] & (p["Blocks"] - 1) else 0
    t.stream(table_payload(bits(depth), 1, width))
    t.control(p["Blocks"], depth, 1 << p["InWidth"])


def _permute(p: dict[str, int], t: Terms) -> None:
    beats = p["Beats"]
    t.memory("memory", ram(2 * beats, p["Width"]))
    t.add("addresses", rom_lut(beats, bits(beats)), bits(2 * beats) + 1.0)
    t.stream(p["Width"])
    t.control(2 * beats, 2 * beats, beats)


def _constant(p: dict[str, int], t: Terms) -> None:
    t.constants(p["Beats"], p["Width"])
    t.control(p["Beats"])


MODELS: Mapping[str, Callable[[dict[str, int], Terms], None]] = {
    "dse_matvec": arithmetic.matvec,
    "dse_matmul": arithmetic.matmul,
    "dse_window": _window,
    "dse_reduce": arithmetic.reduce,
    "dse_eltwise": arithmetic.eltwise,
    "dse_cast": arithmetic.cast,
    "dse_to_mx": arithmetic.to_mx,
    "dse_fifo": _fifo,
    "dse_adapter": _adapter,
    "dse_fork2": lambda p, t: _fork(p, t, 2),
    "dse_fork3": lambda p, t: _fork(p, t, 3),
    "dse_fork4": lambda p, t: _fork(p, t, 4),
    "dse_concat": _concat,
    "dse_slice": _slice,
    "dse_repeat": _repeat,
    "dse_link": _link,
    "dse_table": arithmetic.table,
    "dse_embedding": _embedding,
    "dse_constant": _constant,
    "dse_permute": _permute,
    "dse_softmax": arithmetic.softmax,
    "dse_layer_norm": arithmetic.layer_norm,
}
