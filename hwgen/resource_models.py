"""The parts of every operator: terms of the resource model from RTL parameters, one function per library module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil, log2

from hwgen.resource_blocks import (
    Memory,
    adder_tree,
    async_ram,
    bits,
    dsp_slices,
    operand_bits,
    ram,
    requantize,
    rom,
    rom_lut,
    soft_multiplier,
)


@dataclass
class Terms:
    """LUTs and flip-flops by the part that needs them, and the counts that follow from thresholds."""

    lut: dict[str, float] = field(default_factory=dict)
    ff: dict[str, float] = field(default_factory=dict)
    dsp: float = 0.0
    bram18: float = 0.0

    def memory(self, name: str, memory: Memory) -> None:
        """Add a memory; its logic counts under ``name``."""
        self.lut[name] = self.lut.get(name, 0.0) + memory.lut
        self.ff[name] = self.ff.get(name, 0.0) + memory.ff
        self.bram18 += memory.bram18

    def stream(self, payload: int, spill: bool = True) -> None:
        """Add the output side: a result register, and a spill register of two entries."""
        width = payload + 2
        self.lut["stream"] = self.lut.get("stream", 0.0) + width * (1 if spill else 0)
        self.ff["stream"] = self.ff.get("stream", 0.0) + width * (2 if spill else 1)

    def control(self, *counts: int) -> None:
        """Add counters over ``counts`` values, and the handshake."""
        total = float(sum(bits(c) for c in counts))
        self.lut["control"] = self.lut.get("control", 0.0) + 1.5 * total
        self.ff["control"] = self.ff.get("control", 0.0) + total
        self.lut["constant"] = 10.0
        self.ff["constant"] = 5.0


def stream_only(p: dict[str, int], t: Terms) -> None:
    """A module without a description of its own: a spill register of its payload."""
    t.stream(p.get("Width", p.get("Lanes", 1) * p.get("OutWidth", 8)))
    t.control(2)


def _matvec(p: dict[str, int], t: Terms) -> None:
    n, m, acc = p["InLanes"], p["OutLanes"], p["AccWidth"]
    steps = p["InBlocks"] * p["OutBlocks"]
    depth, bias_depth = p["Groups"] * steps, p["Groups"] * p["OutBlocks"]
    x, w = operand_bits(p["InWidth"], bool(p["InSigned"]), p["WeightWidth"], bool(p["WeightSigned"]))
    payload = n * p["InWidth"] + p["InSubBlocks"] * p["InExpWidth"]
    t.memory("weights", rom(depth, n * m * p["WeightWidth"]))
    t.memory("weights", rom(depth, m * p["SubBlocks"] * p["WeightExpWidth"]))
    t.memory("weights", rom(bias_depth, m * acc))
    t.memory("input", ram(2 * p["InBlocks"], payload))
    if not p["SharedShift"]:
        t.memory("weights", rom(bias_depth, m * p["ShiftWidth"]))
    _products(t, n, m, x, w, acc)
    exponents = p["InExpWidth"] + p["WeightExpWidth"]
    if exponents:
        # The shifter is as wide as the product at first, as the accumulator at the end.
        t.lut["align"] = m * p["SubBlocks"] * exponents / 2 * (x + w + acc) / 2
    t.lut["requantize"] = m * requantize(p, acc, 1 if p["SharedShift"] else bias_depth)
    t.stream(m * p["OutWidth"])
    t.ff["result"] = m * p["OutWidth"] + 2.0
    t.control(p["InBlocks"], p["InBlocks"], 2 * p["InBlocks"], 2 * p["InBlocks"], p["OutBlocks"], depth, depth,
              bias_depth, bias_depth)  # fmt: skip


def _products(t: Terms, n: int, m: int, x: int, w: int, acc: int) -> None:
    """``m`` sums of ``n`` products of ``x`` by ``w`` bits, accumulated over ``acc`` bits."""
    t.dsp += n * m * dsp_slices(x, w, acc)
    width = min(acc, x + w)
    if min(x, w) == 1:
        # A product with one bit is a gate, and part of the adder behind it.
        t.lut["gate"] = m * max(x, w) * (1 + 2.8 * (n - 1))
    else:
        t.lut["multiply"] = n * m * soft_multiplier(x, w, acc)
        t.lut["add"] = m * adder_tree(n, width)
        # The mapper prefers speed: a deep tree of full adders is covered with overlapping LUTs.
        t.lut["overlap"] = 4.0 * m * max(0, n - 4) * width
    t.lut["accumulate"] = 2.0 * m * acc
    t.ff["accumulate"] = float(m * acc)


def _matmul(p: dict[str, int], t: Terms) -> None:
    n, m, acc = p["InLanes"], p["OutLanes"], p["AccWidth"]
    depth = p["Heads"] * p["InBlocks"] * p["OutBlocks"] * p["Banks"]
    x, w = operand_bits(p["AWidth"], bool(p["ASigned"]), p["BWidth"], bool(p["BSigned"]))
    slots = m if p["Transpose"] else n
    # Every slot of a word is written on its own, so each is a memory of its own.
    for _ in range(slots):
        t.memory("operand", ram(depth, n * m * p["BWidth"] // slots))
    t.memory("input", ram(2 * p["InBlocks"], n * p["AWidth"]))
    _products(t, n, m, x, w, acc)
    t.lut["requantize"] = m * requantize(p, acc)
    t.stream(m * p["OutWidth"])
    t.ff["result"] = m * p["OutWidth"] + 2.0
    t.control(p["InBlocks"], p["InBlocks"], 2 * p["InBlocks"], 2 * p["InBlocks"], p["OutBlocks"], depth, depth, depth,
              depth, depth, slots, p["Heads"], p["Heads"])  # fmt: skip


def _window(p: dict[str, int], t: Terms) -> None:
    payload = p["Lanes"] * p["ElementWidth"] + p["ExpWidth"]
    depth = p["Rows"] * p["GridColumns"] * p["Blocks"]
    reach_y = p["OutRows"] * p["StrideH"] + p["KernelH"] * p["DilationH"] + p["PadTop"] + p["GridRows"]
    reach_x = p["OutColumns"] * p["StrideW"] + p["KernelW"] * p["DilationW"] + p["PadLeft"] + p["GridColumns"]
    t.memory("buffer", ram(depth, payload))
    t.control(p["KernelH"], p["KernelW"], p["Blocks"], p["OutRows"], p["OutColumns"], p["Rows"] + p["GridRows"])
    y, x, column, address = bits(reach_y) + 1, bits(reach_x) + 1, bits(reach_x * p["Blocks"]) + 1, bits(2 * depth)
    t.lut["position"] = 3.0 * (3 * y + 2 * x + 3 * column)
    t.ff["position"] = float(3 * y + 2 * x + 3 * column)
    t.lut["address"] = 3.0 * 5 * address
    t.ff["address"] = 4.0 * address
    t.stream(payload)


def _reduce(p: dict[str, int], t: Terms) -> None:
    lanes, acc = p["Lanes"], p["AccWidth"]
    payload = lanes * p["InWidth"] + p["InSubBlocks"] * p["InExpWidth"]
    t.lut["accumulate"] = (1.0 if p["Mode"] == 1 else 2.0) * lanes * acc
    t.ff["accumulate"] = float(lanes * acc)
    t.ff["input"] = float(payload)
    width = acc
    if p["Mode"] == 1:
        width = acc + p["MultWidth"]
        t.dsp += lanes * dsp_slices(acc, p["MultWidth"] + 1)
        t.lut["multiply"] = lanes * soft_multiplier(acc, p["MultWidth"] + 1)
        t.ff["product"] = float(lanes * width)
        t.lut["weights"] = rom_lut(p["MultDepth"], p["MultWidth"])
    elif p["Mode"] == 2:
        x, w = operand_bits(p["InWidth"], bool(p["InSigned"]), p["WeightWidth"], bool(p["WeightSigned"]))
        if p["InExpWidth"]:
            x = 32 if acc <= 32 else 64  # aligned before the product, in a word of the simulation's integers
        t.dsp += lanes * dsp_slices(x, w, acc)
        t.lut["multiply"] = lanes * soft_multiplier(x, w, acc)
        t.memory("weights", rom(p["Blocks"] * p["Kernel"], lanes * p["WeightWidth"]))
        t.memory("weights", rom(p["Blocks"], lanes * acc))
    if p["InExpWidth"]:
        t.lut["align"] = lanes * ceil(p["InExpWidth"] / 2) * float(acc)
    if p["Whole"]:
        t.memory("memory", async_ram(p["Blocks"], lanes * acc))
        t.lut["memory"] += 1.5 * lanes * acc  # read, changed and written in one cycle
    t.lut["requantize"] = lanes * requantize(p, width, 1 if p["SharedShift"] else p["Blocks"])
    t.stream(lanes * p["OutWidth"])
    t.ff["result"] = lanes * p["OutWidth"] + 2.0
    t.control(p["Blocks"], p["Blocks"], p["Blocks"], p["Kernel"], p["Blocks"] * p["Kernel"], p.get("MultDepth", 1))


def _eltwise(p: dict[str, int], t: Terms) -> None:
    lanes, acc = p["Lanes"], p["AccWidth"]
    if p["Multiply"]:
        # Both operands are aligned first, so each has the width of the result.
        t.dsp += lanes * dsp_slices(acc, acc, acc)
        t.lut["multiply"] = lanes * soft_multiplier(acc, acc, acc) / 3
    else:
        t.lut["add"] = float(lanes * acc)
    t.ff["accumulate"] = float(lanes * acc)
    t.lut["requantize"] = lanes * requantize(p, acc)
    # Both inputs wait in spill registers for one another.
    t.stream(lanes * p["AWidth"])
    t.stream(lanes * p["BWidth"])
    t.ff["result"] = lanes * p["OutWidth"] + 2.0
    t.control(2, 2)


def _cast(p: dict[str, int], t: Terms) -> None:
    lanes = p["Lanes"]
    t.lut["requantize"] = lanes * requantize(p, p["AccWidth"])
    t.stream(lanes * p["InWidth"])
    t.ff["result"] = lanes * p["OutWidth"] + 2.0
    t.control(2)


def _to_mx(p: dict[str, int], t: Terms) -> None:
    lanes, width = p["Lanes"], p["InWidth"] + 1
    depth = 2 * p["BlockBeats"] + 2
    t.memory("buffer", ram(depth, lanes * p["InWidth"] + 1))
    t.lut["extremes"] = 3.0 * lanes * width
    t.ff["extremes"] = 2.0 * p["SubBlocks"] * width
    t.lut["exponent"] = float(p["SubBlocks"] * (1 << p["ExpWidth"]) * width)
    t.ff["exponent"] = float(p["SubBlocks"] * p["ExpWidth"])
    t.lut["requantize"] = lanes * (width * (2.0 + p["ExpWidth"] / 2) + 1.5 * p["MantissaWidth"])
    payload = lanes * p["MantissaWidth"] + p["SubBlocks"] * p["ExpWidth"]
    t.ff["pipeline"] = float(lanes * width)
    t.stream(payload)
    t.control(depth, depth, depth, p["TokenBeats"], p["BlockBeats"], p["TokenBeats"], p["BlockBeats"])


def _fifo(p: dict[str, int], t: Terms) -> None:
    if p["Depth"] <= 2:
        t.stream(p["Width"])
        t.control(1)
        return
    t.memory("memory", ram(p["Depth"] - 1, p["Width"] + 1))
    if t.bram18 == 0:
        t.ff["head"] = p["Width"] + 1.0
    t.control(p["Depth"] - 1, p["Depth"] - 1, p["Depth"])


def _adapter(p: dict[str, int], t: Terms) -> None:
    capacity = p["InUnits"] + p["OutUnits"] + min(p["InUnits"], p["OutUnits"]) - 1
    unit = p["UnitWidth"]
    sources = min(p["InUnits"], capacity - p["InUnits"] + 1)
    t.lut["place"] = capacity * unit * (0.5 + sources / 4 + log2(capacity) / 4)
    t.lut["last"] = 2.0 * capacity
    t.ff["data"] = float(capacity * (unit + 1))
    t.control(capacity + 1, capacity + 1)


def _fork(p: dict[str, int], t: Terms, copies: int) -> None:
    t.stream(p["Width"])
    t.control(*[2] * copies)


def _concat(p: dict[str, int], t: Terms) -> None:
    t.stream(p["Width"])
    t.lut["select"] = p["Width"] * 0.5
    t.control(p["BeatsA"] + p["BeatsB"])


def _slice(p: dict[str, int], t: Terms) -> None:
    t.stream(p["Width"])
    t.control(p["Period"], p["Periods"])


def _repeat(p: dict[str, int], t: Terms) -> None:
    t.stream(p["Width"])
    t.memory("memory", async_ram(p["Beats"], p["Width"]))
    t.lut["select"] = p["Width"] * 0.5
    t.control(p["Beats"], p["Copies"])


def _link(p: dict[str, int], t: Terms) -> None:
    delay = p["CyclesPerBeat"] - 1 + p["LatencyCycles"]
    t.memory("flight", ram(delay, p["Width"] + 1))
    _fifo({"Width": p["Width"], "Depth": p["Credits"]}, t)
    # Shift registers with a reset, of the beats and of the credits in flight.
    t.lut["delay"] = 0.6 * (delay + p["LatencyCycles"])
    t.ff["delay"] = float(delay + p["LatencyCycles"])
    t.control(p["CyclesPerBeat"] + 1, p["Credits"] + 1, delay)


def _table(p: dict[str, int], t: Terms) -> None:
    one = rom(1 << p["InWidth"], p["OutWidth"])
    t.lut["table"] = p["Lanes"] * one.lut
    t.bram18 += p["Lanes"] * one.bram18
    t.ff["index"] = float(p["Lanes"] * p["InWidth"])
    t.stream(p["Lanes"] * p["OutWidth"])
    t.control(1)


def _embedding(p: dict[str, int], t: Terms) -> None:
    t.memory("table", rom(p["Vocabulary"] * p["Blocks"], p["Lanes"] * p["OutWidth"]))
    t.stream(p["Lanes"] * p["OutWidth"])
    t.control(p["Blocks"], p["Vocabulary"] * p["Blocks"], 1 << p["InWidth"])


def _permute(p: dict[str, int], t: Terms) -> None:
    beats = p["Beats"]
    t.memory("memory", ram(2 * beats, p["Width"]))
    t.lut["addresses"] = rom_lut(beats, bits(beats))
    t.ff["addresses"] = bits(2 * beats) + 1.0
    t.stream(p["Width"])
    t.control(2 * beats, 2 * beats, beats)


def _softmax(p: dict[str, int], t: Terms) -> None:
    lanes, blocks, x, e = p["Lanes"], p["Blocks"], p["InWidth"] + 1, p["ExpWidth"]
    quotient = p["Power"] + 1
    t.memory("buffers", ram(2 * blocks, lanes * p["InWidth"]))
    t.memory("buffers", ram(3 * blocks, lanes * e))
    table = rom(1 << p["IndexWidth"], e)
    t.lut["table"], t.bram18 = lanes * table.lut, t.bram18 + lanes * table.bram18
    t.lut["maximum"] = 2.0 * lanes * x
    t.lut["index"] = 1.5 * lanes * x
    t.lut["sum"] = lanes * e + 2.0 * p["SumWidth"]
    t.lut["divide"] = 2.0 * p["SumWidth"] + quotient
    t.ff["state"] = 2.0 * x + lanes * p["IndexWidth"] + 4.0 * p["SumWidth"] + 2.0 * quotient
    t.dsp += lanes * dsp_slices(e + 1, quotient + 1)
    t.lut["multiply"] = lanes * soft_multiplier(e + 1, quotient + 1)
    t.lut["requantize"] = lanes * requantize(p, e + quotient - p["Shift"])
    t.stream(lanes * p["OutWidth"])
    t.ff["result"] = lanes * p["OutWidth"] + 2.0
    element = lanes * blocks + 1
    t.control(blocks, 2 * blocks, blocks, 2 * blocks, 2 * blocks, *[3 * blocks] * 5, blocks, quotient)
    if p["Causal"]:
        t.control(*[element] * 4, *[p["Tokens"]] * 5, p["Groups"])
        t.lut["mask"] = 2.0 * lanes * bits(element)


def _layer_norm(p: dict[str, int], t: Terms) -> None:
    lanes, blocks, x = p["Lanes"], p["Blocks"], p["InWidth"] + 1
    root, wide, acc = p["RootBits"], 2 * p["HalfWidth"], p["AccWidth"]
    t.memory("row", ram(3 * blocks, lanes * p["InWidth"]))
    t.memory("constants", Memory(lut=rom_lut(blocks, lanes * (p["GammaWidth"] + acc))))
    squares, size = x, bits(lanes * blocks) + 1
    products = ((lanes, squares, squares), (1, p["SquareWidth"], size), (1, p["SumWidth"], p["SumWidth"]),
                (lanes, x, size), (lanes, p["NumWidth"], root + 2), (lanes, p["ZWidth"], p["GammaWidth"]))  # fmt: skip
    for count, a, b in products:
        t.dsp += count * dsp_slices(a, b)
        t.lut["multiply"] = t.lut.get("multiply", 0.0) + count * soft_multiplier(a, b)
    t.lut["sums"] = 2.0 * (lanes + 1) * (p["SumWidth"] / 2 + p["SquareWidth"])
    t.ff["sums"] = 4.0 * p["SumWidth"] + 3.0 * p["SquareWidth"]
    t.lut["root"] = 3.0 * wide + wide * log2(wide) / 2 + 8.0 * root
    t.ff["root"] = 3.0 * wide + 9.0 * root
    t.lut["normalise"] = lanes * p["NumWidth"] * (2 + log2(wide) / 2)
    t.ff["pipeline"] = float(lanes * (p["NumWidth"] + p["ZWidth"]))
    t.lut["affine"] = float(lanes * acc)
    t.lut["requantize"] = lanes * requantize(p, acc)
    t.stream(lanes * p["OutWidth"])
    t.ff["result"] = lanes * p["OutWidth"] + 2.0
    t.control(*[blocks] * 5, *[3 * blocks] * 3, 2 * root + 6)


def _constant(p: dict[str, int], t: Terms) -> None:
    t.memory("values", rom(p["Beats"], p["Width"]))
    t.ff["address"] = float(bits(p["Beats"]))
    t.stream(p["Width"])
    t.control(p["Beats"])


MODELS: Mapping[str, Callable[[dict[str, int], Terms], None]] = {
    "dse_matvec": _matvec,
    "dse_matmul": _matmul,
    "dse_window": _window,
    "dse_reduce": _reduce,
    "dse_eltwise": _eltwise,
    "dse_cast": _cast,
    "dse_to_mx": _to_mx,
    "dse_fifo": _fifo,
    "dse_adapter": _adapter,
    "dse_fork2": lambda p, t: _fork(p, t, 2),
    "dse_fork3": lambda p, t: _fork(p, t, 3),
    "dse_fork4": lambda p, t: _fork(p, t, 4),
    "dse_concat": _concat,
    "dse_slice": _slice,
    "dse_repeat": _repeat,
    "dse_link": _link,
    "dse_table": _table,
    "dse_embedding": _embedding,
    "dse_constant": _constant,
    "dse_permute": _permute,
    "dse_softmax": _softmax,
    "dse_layer_norm": _layer_norm,
}
