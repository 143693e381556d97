"""The parts of the operators that compute: terms of the resource model from RTL parameters."""

from __future__ import annotations

from math import ceil, log2

from hwgen.resource_blocks import (
    async_ram,
    bits,
    distinct,
    dsp_slices,
    is_table,
    product_lut,
    product_slices,
    ram,
    rom_lut,
    signed_bits,
    soft_multiplier,
)
from hwgen.resource_terms import Terms, table_payload


def _products(t: Terms, lanes: tuple[int, int], a: int, a_signed: bool, b: int, b_signed: bool, fixed: bool) -> None:
    """``dse_product`` of each of ``lanes[0]`` elements of ``a`` bits with ``lanes[1]`` of ``b`` bits.

    ``fixed``: the elements of ``b`` never change.
    """
    shared, count = lanes[0], lanes[0] * lanes[1]
    t.dsp += count * product_slices(a, a_signed, b, b_signed)
    if fixed:
        lut = count * (a + b) * max(1.0, 2.0 ** (a - 6)) / 2 if is_table(a, b) else 0.0
        t.add("fixed", lut)
    elif min(a, b) > 1:
        t.add("table", count * product_lut(a, b))
    else:
        t.add("gate", count * product_lut(a, b) / 2)
    if min(a, b) == 1 and (b_signed if b == 1 else a_signed):
        # The negation of the other element serves all products with it.
        t.add("negate", float(shared * a if b == 1 else count * b))


def _adders(t: Terms, count: int, width: float) -> None:
    """A ``dse_adder_tree`` of ``count`` words: a LUT per bit and addition."""
    t.add("add", float((count - 1) * width))


def matvec(p: dict[str, int], t: Terms) -> None:
    """Matrix-vector product: constants, products, trees of adders, accumulators, requantisation."""
    n, m, acc, sub = p["InLanes"], p["OutLanes"], p["AccWidth"], p["SubBlocks"]
    steps = p["InBlocks"] * p["OutBlocks"]
    depth, bias_depth = p["Groups"] * steps, p["Groups"] * p["OutBlocks"]
    payload = n * p["InWidth"] + p["InSubBlocks"] * p["InExpWidth"]
    t.constants(depth, n * m * p["WeightWidth"])
    t.constants(depth, m * sub * p["WeightExpWidth"])
    t.constants(bias_depth, m * acc)
    t.memory("input", ram(2 * p["InBlocks"], payload))
    shifts = 1 if p["SharedShift"] else bias_depth
    t.constants(shifts, m * p["ShiftWidth"])
    fixed = depth == 1
    _products(t, (n, m), p["InWidth"], bool(p["InSigned"]), p["WeightWidth"], bool(p["WeightSigned"]), fixed)
    # A constant weight of one bit is zero half of the time.
    live = 0.5 if fixed and p["WeightWidth"] == 1 else 1.0
    _adders(t, n // sub, live * m * sub * (p["InWidth"] + p["WeightWidth"] + 1 + (n // sub - 1).bit_length()))
    _adders(t, sub, m * acc)
    if p["InExpWidth"] + p["WeightExpWidth"]:
        t.add("align", m * sub * (p["InExpWidth"] + p["WeightExpWidth"]) / 2 * acc)
    # A single block starts at the bias every time, and a single bias is a constant.
    live_acc = m * acc * (1 - (1 - live) ** n)
    t.add("accumulate", live_acc * (1.0 + (bias_depth > 1 or p["InBlocks"] > 1)), live_acc)
    t.requantized(p, m, acc, shifts)
    t.stream(m * p["OutWidth"])
    t.result(m * p["OutWidth"])
    t.control(p["InBlocks"], p["InBlocks"], 2 * p["InBlocks"], 2 * p["InBlocks"], p["OutBlocks"], depth, bias_depth)


def matmul(p: dict[str, int], t: Terms) -> None:
    """Product of two streams: as ``matvec``, with a memory for each slot of the stored operand."""
    n, m, acc = p["InLanes"], p["OutLanes"], p["AccWidth"]
    depth = p["Heads"] * p["InBlocks"] * p["OutBlocks"] * p["Banks"]
    slots = m if p["Transpose"] else n
    for _ in range(slots):
        t.memory("operand", ram(depth, n * m * p["BWidth"] // slots))
    t.memory("input", ram(2 * p["InBlocks"], n * p["AWidth"]))
    _products(t, (n, m), p["AWidth"], bool(p["ASigned"]), p["BWidth"], bool(p["BSigned"]), fixed=False)
    _adders(t, n, m * min(acc, p["AWidth"] + p["BWidth"] + 1 + (n - 1).bit_length()))
    t.add("accumulate", m * acc * (1.0 + (p["InBlocks"] > 1)), float(m * acc))
    t.requantized(p, m, acc)
    t.stream(m * p["OutWidth"])
    t.result(m * p["OutWidth"])
    t.control(p["InBlocks"], p["InBlocks"], 2 * p["InBlocks"], 2 * p["InBlocks"], p["OutBlocks"], depth, depth, depth,
              depth, depth, slots, p["Heads"], p["Heads"])  # fmt: skip


def reduce(p: dict[str, int], t: Terms) -> None:
    """Maximum (mode 0), average (1), depthwise convolution (2)."""
    lanes, acc = p["Lanes"], p["AccWidth"]
    t.add("input", ff=float(lanes * p["InWidth"] + p["InSubBlocks"] * p["InExpWidth"]))
    width = acc
    if p["Mode"] == 0:
        t.add("maximum", lanes * p["InWidth"] * (1.1 if p["InWidth"] <= 6 else 1.8))
    elif p["Mode"] == 1:
        t.add("add", float(lanes * acc))
        width = acc + p["MultWidth"]
        t.dsp += lanes * dsp_slices(acc, p["MultWidth"] + 1)
        t.add("multiply", lanes * soft_multiplier(acc, p["MultWidth"] + 1), float(lanes * width))
        t.add("rom", rom_lut(p["MultDepth"], p["MultWidth"]))
    else:
        fixed = p["Blocks"] * p["Kernel"] == 1
        _products(t, (lanes, 1), p["InWidth"], bool(p["InSigned"]), p["WeightWidth"], bool(p["WeightSigned"]), fixed)
        t.add("add", 2.0 * lanes * acc)
        t.constants(p["Blocks"] * p["Kernel"], lanes * p["WeightWidth"])
        t.constants(p["Blocks"], lanes * acc)
    if p["InExpWidth"]:
        t.add("align", lanes * p["InExpWidth"] / 2 * acc)
    t.add("accumulate", lanes * acc * (p["Mode"] > 0 and p["Kernel"] > 1), float(lanes * acc))
    if p["Whole"]:
        t.memory("memory", async_ram(p["Blocks"], lanes * acc))
        t.add("update", 1.0 * lanes * acc * (p["Blocks"] > 1))  # read, changed and written in one cycle
    if p["Mode"] > 0 or p["OutWidth"] < p["InWidth"]:  # else the maximum goes through unchanged
        t.requantized(p, lanes, width, 1 if p["SharedShift"] else p["Blocks"])
    t.stream(lanes * p["OutWidth"])
    t.result(lanes * p["OutWidth"])
    t.control(p["Blocks"], p["Kernel"], p["Blocks"] * p["Kernel"] if p["Mode"] == 2 else 1, p.get("MultDepth", 1))


def eltwise(p: dict[str, int], t: Terms) -> None:
    """Sum or product of two streams."""
    lanes, acc = p["Lanes"], p["AccWidth"]
    a, b = signed_bits(p["AWidth"], bool(p["ASigned"])), signed_bits(p["BWidth"], bool(p["BSigned"]))
    if p["Multiply"]:
        # A constant shift of an operand moves its product; low zero bits need no logic.
        t.dsp += lanes * dsp_slices(acc, acc, acc)
        t.add("multiply", lanes * soft_multiplier(acc, acc, acc) / 3)
        t.add("product", 0.6 * lanes * (acc + p["OutWidth"]) * (acc > 10))
    else:
        t.add("add", float(lanes * acc))
    t.add("accumulate", ff=float(lanes * min(acc, a + b)))
    t.requantized(p, lanes, acc)
    # Both inputs wait in spill registers for one another.
    t.stream(lanes * p["AWidth"])
    t.stream(lanes * p["BWidth"])
    t.result(lanes * p["OutWidth"])
    t.control(2, 2)


def cast(p: dict[str, int], t: Terms) -> None:
    """Requantisation alone."""
    lanes = p["Lanes"]
    t.requantized(p, lanes, p["InWidth"] + 1)
    t.stream(lanes * p["InWidth"])
    t.result(lanes * p["OutWidth"])
    t.control(2)


def to_mx(p: dict[str, int], t: Terms) -> None:
    """Shared exponents: extremes of a block, then the smallest exponent that holds both."""
    lanes, width, e = p["Lanes"], p["InWidth"] + 1, p["ExpWidth"]
    depth = 2 * p["BlockBeats"] + 2
    t.memory("buffer", ram(depth, lanes * p["InWidth"] + 1))
    t.memory("buffer", ram(depth, p["SubBlocks"] * e))
    t.add("extremes", 4.0 * lanes * width, 2.0 * p["SubBlocks"] * width)
    t.add("exponent", float(p["SubBlocks"] * ((1 << e) - 1) * (width + 2)))
    if p["Rounding"] == 2:
        t.add("even", float((lanes + 2 * p["SubBlocks"]) * width))
    t.add("shift", lanes * width * e / 2)
    t.add("decode", float(lanes * width))
    t.add("input", ff=float(lanes * p["InWidth"]))
    t.stream(lanes * p["MantissaWidth"] + p["SubBlocks"] * e)
    t.control(
        depth, depth, depth, depth, depth, depth, p["TokenBeats"], p["BlockBeats"], p["TokenBeats"], p["BlockBeats"]
    )


def table(p: dict[str, int], t: Terms) -> None:
    """A table of constants for each lane."""
    for _ in range(p["Lanes"]):
        t.constants(1 << p["InWidth"], p["OutWidth"])
    t.stream(table_payload(p["InWidth"], p["Lanes"], p["OutWidth"]))
    t.control(1)


def softmax(p: dict[str, int], t: Terms) -> None:
    """Maximum, table of exponentials, sum, division, scaling."""
    lanes, blocks, x, e = p["Lanes"], p["Blocks"], p["InWidth"] + 1, p["ExpWidth"]
    quotient = p["Power"] - e + 1  # the sum is at least 2**ExpWidth - 1
    t.memory("buffer", ram(2 * blocks, lanes * p["InWidth"]))
    t.memory("buffer", ram(4 * blocks, lanes * e))
    for _ in range(lanes):
        t.constants(1 << p["IndexWidth"], e)
    t.add("maximum", 2.0 * lanes * x, 3.0 * x)
    t.add("index", 2.5 * lanes * x, float(lanes * p["IndexWidth"]))
    t.add("add", float(lanes * p["SumWidth"]), 3.0 * p["SumWidth"])
    t.add("divide", 2.0 * p["SumWidth"] + quotient, 2.0 * p["SumWidth"] + 2.0 * quotient)
    t.dsp += lanes * dsp_slices(e + 1, quotient + 1)
    t.add("multiply", lanes * soft_multiplier(e + 1, quotient + 1))
    t.requantized(p, lanes, max(p["OutWidth"], p["Power"] + 1 - p["Shift"]))
    t.stream(lanes * p["OutWidth"])
    t.result(lanes * p["OutWidth"])
    element = lanes * blocks + 1
    t.control(blocks, 2 * blocks, blocks, 2 * blocks, 2 * blocks, *[4 * blocks] * 5, blocks, quotient)
    if p["Causal"]:
        t.control(*[element] * 4, *[p["Tokens"]] * 5, p["Groups"])
        t.add("mask", 2.0 * lanes * bits(element))


def layer_norm(p: dict[str, int], t: Terms) -> None:
    """Sums, root, division, scaling."""
    lanes, blocks, x = p["Lanes"], p["Blocks"], p["InWidth"] + 1
    root, wide, acc = p["RootBits"], 2 * p["HalfWidth"], p["AccWidth"]
    t.memory("buffer", ram(4 * blocks, lanes * p["InWidth"]))
    t.add("rom", distinct(blocks, lanes * (p["GammaWidth"] + acc)))
    products = [(lanes, x, x), (1, p["SumWidth"], p["SumWidth"]), (lanes, p["NumWidth"], root + 2),
                (lanes, p["ZWidth"], p["GammaWidth"])]  # fmt: skip
    elements = lanes * blocks
    if elements & (elements - 1):  # else a shift
        products += [(1, p["SquareWidth"], bits(elements) + 1), (lanes, x, bits(elements) + 1)]
    for count, a, b in products:
        t.dsp += count * dsp_slices(a, b)
        t.add("multiply", count * soft_multiplier(a, b))
    t.add("add", lanes * (p["SumWidth"] + p["SquareWidth"] + p["NumWidth"]), 3.0 * (p["SumWidth"] + p["SquareWidth"]))
    t.add("root", 3.0 * wide + wide * log2(wide) / 2 + 8.0 * root, 3.0 * wide + 9.0 * root)
    t.add("normalise", lanes * p["NumWidth"] * ceil(log2(wide)) / 2, float(lanes * (p["NumWidth"] + p["ZWidth"])))
    t.add("accumulate", float(lanes * acc))
    t.requantized(p, lanes, acc)
    t.stream(lanes * p["OutWidth"])
    t.result(lanes * p["OutWidth"])
    t.control(*[blocks] * 5, *[4 * blocks] * 3, 2 * root + 6)
