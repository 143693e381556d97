"""Matrix-vector product with stored weights: linear layers, and convolutions after a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.pipeline import pipeline_bits, places, registers
from hwgen.hardware.requantizers import requantizers
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array, exact_type
from hwgen.numbers.formats import Format
from hwgen.numbers.rescale import Requantize
from hwgen.technology.memories import Constants, Memory, WordRegister
from hwgen.technology.parts import Accumulators, Adders, Bill, Handshake, Registers, Shifters, counters
from hwgen.technology.products import ElementProducts, Factor

_SLICE_ELEMENTS = 1 << 22  # weights that are decoded at a time


@dataclass(frozen=True)
class Matvec(Operator):
    """``out[t, g] = requantize(weight[g] @ in[t, g] + bias[g])`` for each token ``t`` and group ``g``.

    Contents: ``weight`` ``(groups, outputs, inputs)`` words of elements; for shared-exponent weights also
    ``weight_exponent`` of the same shape, equal within a block; ``bias`` ``(groups, outputs)`` at the accumulator's
    scale; ``shift`` ``(groups, outputs)`` or ``()``. Input features are ``groups * inputs`` in that order.

    Attributes:
        tokens: tokens per sample.
        groups: weight sets, used in turn.
        in_features, out_features: elements per group.
        in_lanes, out_lanes: elements per cycle; they divide the features of a group.
        source: format of the input elements.
        weight: format of the weights.
        acc_bits: accumulator width; ``accumulator_bits`` of the true bounds.
        result: requantisation.
        shift_bits: width of a shift amount.
        shared_shift: one shift for all outputs.
        stages: registers within the arithmetic, as many as it has levels at most.
    """

    tokens: int
    groups: int
    in_features: int
    out_features: int
    in_lanes: int
    out_lanes: int
    source: Format
    weight: Format
    acc_bits: int
    result: Requantize
    shift_bits: int
    shared_shift: bool
    stages: int

    module = "dse_matvec"
    uses = ("dse_adder_tree", "dse_credit_fifo", "dse_delay", "dse_dot", "dse_product", "dse_requantizer")

    def __post_init__(self) -> None:
        self.require(self.in_features % self.in_lanes == 0, f"in_lanes {self.in_lanes} divide {self.in_features}")
        self.require(self.out_features % self.out_lanes == 0, f"out_lanes {self.out_lanes} divide {self.out_features}")
        self.require(2 <= self.acc_bits <= 62, f"the accumulator has 2 to 62 bits, not {self.acc_bits}")
        self.require(self.acc_bits >= self.result.target.bits, "the accumulator is at least as wide as the result")
        for part in (self.source, self.weight):
            self.require(
                part.respects(self.in_lanes, self.in_features),
                f"in_lanes {self.in_lanes} and the block {part.block} divide one another",
            )

    @property
    def sub_blocks(self) -> int:
        """Partial sums per beat: the finest exponent granularity inside a beat."""
        return max(self.source.exponents_in(self.in_lanes), self.weight.exponents_in(self.in_lanes), 1)

    @property
    def in_blocks(self) -> int:
        """Input beats per group."""
        return self.in_features // self.in_lanes

    @property
    def out_blocks(self) -> int:
        """Output beats per group."""
        return self.out_features // self.out_lanes

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each: words, products, adders, shifts, rounding."""
        shifted = self.source.exponent_bits + self.weight.exponent_bits > 0
        partial = (self.in_lanes // self.sub_blocks - 1).bit_length()
        return 4 + partial + (2 + (self.sub_blocks - 1).bit_length() if shifted else 0)

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.tokens, self.groups * self.in_features, self.in_lanes, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.groups * self.out_features, self.out_lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "InLanes": self.in_lanes,
            "OutLanes": self.out_lanes,
            "InBlocks": self.in_blocks,
            "OutBlocks": self.out_blocks,
            "Groups": self.groups,
            **self.source.rtl("In"),
            "InSubBlocks": max(1, self.source.exponents_in(self.in_lanes)),
            **self.weight.rtl("Weight"),
            "SubBlocks": self.sub_blocks,
            "AccWidth": self.acc_bits,
            "SharedShift": int(self.shared_shift),
            "ShiftWidth": self.shift_bits,
            "Stages": self.registers,
            **self.result.rtl_parameters(),
        }

    def _decoded(self, contents: Mapping[str, Array], outputs: slice) -> Array:
        """Weights of some outputs, exponents applied: ``(groups, outputs, inputs)`` integers."""
        exponents = contents.get("weight_exponent")
        shared = None if exponents is None else exponents[:, outputs]
        return self.weight.integers(contents["weight"][:, outputs], shared)

    def accumulate(self, words: Words, contents: Mapping[str, Array]) -> Array:
        """Accumulators before requantisation, exact: ``(samples, tokens, groups, outputs)``."""
        x = words.integers(self.inputs["in"])
        exact = exact_type(self.acc_bits)
        grouped = x.reshape(-1, self.groups, self.in_features).astype(exact)
        sums = np.empty((self.groups, len(grouped), self.out_features), exact)
        step = max(1, _SLICE_ELEMENTS // (self.groups * self.in_features))
        for start in range(0, self.out_features, step):  # weights are decoded a few outputs at a time
            part = slice(start, start + step)
            weight = self._decoded(contents, part).astype(exact)
            np.matmul(grouped.transpose(1, 0, 2), weight.transpose(0, 2, 1), out=sums[:, :, part])
        sums += contents["bias"].astype(exact)[:, None, :]
        total = sums.transpose(1, 0, 2).astype(np.int64 if self.acc_bits > 32 else np.int32)
        return total.reshape(words.samples, self.tokens, self.groups, self.out_features)

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        total = self.accumulate(inputs["in"], contents)
        out = self.result.apply(total, contents["shift"])
        return {"out": Words(out.reshape(out.shape[0], self.tokens, -1))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        g, ob, ol, ib, il = self.groups, self.out_blocks, self.out_lanes, self.in_blocks, self.in_lanes
        weight = contents["weight"].reshape(g, ob, ol, ib, il).transpose(0, 1, 3, 2, 4).reshape(g * ob * ib, ol * il)
        images = {
            "weight": MemoryImage(weight, self.weight.element_bits),
            "bias": MemoryImage(contents["bias"].reshape(g * ob, ol), self.acc_bits),
        }
        shift = contents["shift"]
        shift = shift.reshape(1, 1) if self.shared_shift else np.broadcast_to(shift, (g, ob * ol)).reshape(g * ob, ol)
        images["shift"] = MemoryImage(shift, self.shift_bits)
        if self.weight.exponent_bits:
            words = self._exponent_words(contents["weight_exponent"])
            images["weight_exp"] = MemoryImage(words, self.weight.exponent_bits)
        return images

    def _exponent_words(self, exponents: Array) -> Array:
        """The exponent of each partial sum: its elements lie in one block, so the first one tells."""
        ol, subs = self.out_lanes, self.sub_blocks
        parts = exponents.reshape(self.groups, self.out_blocks, ol, self.in_blocks, subs, self.in_lanes // subs)[..., 0]
        words: Array = parts.transpose(0, 1, 3, 2, 4).reshape(-1, ol * subs)
        return words

    def cycles(self) -> Cycles:
        vectors = self.tokens * self.groups
        steps = self.in_blocks * self.out_blocks
        # Words, accumulator, buffer and output register take a cycle each.
        return Cycles(latency=self.in_blocks + steps * vectors + 4 + self.registers, interval=vectors * steps)

    def bill(self) -> Bill:
        blocks, out = self.in_blocks, self.out_lanes * self.result.target.bits
        depth, bias_depth = self.groups * blocks * self.out_blocks, self.groups * self.out_blocks
        shifts = 1 if self.shared_shift else bias_depth
        held = places(self.registers, blocks)
        vectors = Memory(2 * blocks, self.inputs["in"].payload_bits, apart=True)
        return (
            *self._constants(depth, bias_depth, shifts),
            vectors,
            WordRegister(vectors),
            *self._arithmetic(depth, bias_depth),
            Registers(self._pipeline_bits()),
            requantizers(self.result, self.out_lanes, self.acc_bits, shifts),
            Memory(held, out + 1, apart=True),
            Registers(out + 2),
            *counters([blocks, blocks, 2 * blocks, 2 * blocks, self.out_blocks, depth, bias_depth]),
            *counters([held, held, held + 1, held + 1]),
            Handshake(),
        )

    def _pipeline_bits(self) -> int:
        """Flip-flops of the registers within the arithmetic, and of the steps on their way."""
        step = 4 + (self.groups * self.out_blocks - 1).bit_length()
        return pipeline_bits(self._level_bits(), self.registers) + step * (self.registers + 2)

    def _level_bits(self) -> list[int]:
        """Bits that leave each level of the arithmetic."""
        p, n, m, sub = self.rtl_parameters(), self.in_lanes, self.out_lanes, self.sub_blocks
        terms, product = n // sub, p["InWidth"] + p["WeightWidth"]
        partial = product + (terms - 1).bit_length()
        tree = [m * sub * ceil(terms / (1 << k)) * partial for k in range(1, (terms - 1).bit_length() + 1)]
        shifts = [m * sub * self.acc_bits] * 2 if p["InExpWidth"] + p["WeightExpWidth"] else []
        total = [m * ceil(sub / (1 << k)) * self.acc_bits for k in range(1, (sub - 1).bit_length() + 1)]
        words = n * m * p["WeightWidth"] + self.inputs["in"].payload_bits
        rounding = [m * (self.acc_bits + 1)] * 2
        return [words, n * m * product, *tree, *shifts, *(total if shifts else []), *rounding]

    def _constants(self, depth: int, bias_depth: int, shifts: int) -> Bill:
        p, m = self.rtl_parameters(), self.out_lanes
        return (
            Constants(depth, self.in_lanes * m * p["WeightWidth"]),
            Constants(depth, m * self.sub_blocks * p["WeightExpWidth"]),
            Constants(bias_depth, m * self.acc_bits),
            Constants(shifts, m * self.shift_bits),
        )

    def _arithmetic(self, depth: int, bias_depth: int) -> Bill:
        p, n, m, acc, sub = self.rtl_parameters(), self.in_lanes, self.out_lanes, self.acc_bits, self.sub_blocks
        a, b = (Factor(kind.decoded_bits, kind.element.signed) for kind in (self.source, self.weight))
        exponents = p["InExpWidth"] + p["WeightExpWidth"]
        # A constant weight of one bit is zero half of the time.
        live = 0.5 if depth == 1 and b.bits == 1 else 1.0
        terms = n // sub
        return (
            ElementProducts(n, m, a, b, words=depth),
            Adders((terms - 1) * live * m * sub, a.bits + b.bits + 1 + (terms - 1).bit_length(), depth == 1),
            Adders((sub - 1) * m, acc),
            Shifters(m * sub, acc if exponents else 0, exponents),
            # A single block starts at the bias every time, and a single bias is a constant.
            Accumulators(m * (1 - (1 - live) ** n), acc, starts=bias_depth > 1 or self.in_blocks > 1),
        )

    def held(self, port: str) -> Fraction:
        # Two banks, and what is on its way to the output.
        behind = Fraction(self.registers + 4, self.in_blocks * self.out_blocks)
        return (2 + max(Fraction(1), behind)) / (self.tokens * self.groups)
