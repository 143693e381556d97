"""Softmax over groups of consecutive features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, log, log2

import numpy as np

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.pipeline import DEEPEST, pipeline_bits, registers, registers_until, tree_words
from hwgen.hardware.requantizers import requantizers
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, Overflow, Rounding
from hwgen.numbers.rescale import Requantize
from hwgen.technology.memories import Constants, Memory, WordRegister
from hwgen.technology.parts import (
    Adders,
    Bill,
    Comparators,
    Differences,
    Handshake,
    Maxima,
    Registers,
    SerialDivision,
    bits,
    counters,
)
from hwgen.technology.products import Multipliers

MAX_INDEX_BITS = 12
DSP_BITS = 18  # operand width of a DSP slice
GUARD_BITS = 3  # of the result, kept by the exponentials and by the quotient


@dataclass(frozen=True)
class Softmax(Operator):
    """Softmax of each row of ``size`` features; a token has ``groups`` rows.

    Integer definition, for a row ``x`` whose ``kept`` elements take part (all; with ``causal`` those ``s <= token``)::

        index[s] = min(((max of kept x) - x[s] + half) >> drop, 2**index_bits - 1)    half = 2**drop // 2
        e[s]     = exp[index[s]] for kept s, else 0
        r        = 2**power // sum(e)
        out[s]   = requantize(e[s] * r, power - fraction bits of the target)

    Contents: ``exp`` ``(2**index_bits,)``, unsigned; entry 0 is ``2**exp_bits - 1``.

    Error of ``design`` against the real softmax of the same input words: below 0.75 units of a result of at most 8
    bits (so the nearest word or its neighbour), below 1.5 units of a 16-bit one. Exception: an input so fine that
    ``drop > 0`` (a reach of more than 4096 steps) adds a relative error of ``2**drop * step / 2`` at most.

    Attributes:
        tokens: tokens per sample.
        groups: rows per token.
        size: elements per row.
        lanes: elements per cycle; divides ``size``.
        causal: element ``s`` of token ``t`` is kept for ``s <= t`` only.
        source: format of the input.
        drop: low bits of the distance to the maximum that the table does not see.
        index_bits: width of a table address.
        exp_bits: width of a table entry.
        power: exponent of the numerator.
        result: requantisation.
        stages: registers within the arithmetic, as many as it has levels at most.
    """

    tokens: int
    groups: int
    size: int
    lanes: int
    causal: bool
    source: IntFormat
    drop: int
    index_bits: int
    exp_bits: int
    power: int
    result: Requantize
    stages: int

    module = "dse_softmax"
    uses = (
        "dse_adder_tree",
        "dse_credit_fifo",
        "dse_delay",
        "dse_divider",
        "dse_event",
        "dse_maximum_tree",
        "dse_requantizer",
        "dse_row_queue",
    )

    def __post_init__(self) -> None:
        self.require(self.size % self.lanes == 0, f"lanes {self.lanes} divide {self.size}")
        self.require(self.source.bits <= 24, f"inputs have at most 24 bits, not {self.source.bits}")
        self.require(1 <= self.index_bits <= min(MAX_INDEX_BITS, self.source.bits + 1), "index_bits out of range")
        self.require(2 <= self.exp_bits <= 28, f"exponentials have 2 to 28 bits, not {self.exp_bits}")
        self.require(self.sum_bits + 2 <= self.power <= 60, f"power is {self.sum_bits + 2} to 60, not {self.power}")
        self.require(0 <= self.shift <= self.power, f"the result has 0 to {self.power} fraction bits")

    @staticmethod
    def design(
        shape: tuple[int, int, int],
        lanes: int,
        causal: bool,
        source: IntFormat,
        result: Requantize,
        scale: float = 1.0,
    ) -> tuple[Softmax, dict[str, Array]]:
        """The operator whose result is within one unit of the real function, and its table.

        Args:
            shape: tokens, groups, size.
            lanes: elements per cycle.
            causal: see the class.
            source: format of the input.
            result: requantisation, usually to an unsigned format with as many fraction bits as bits. It always
                saturates: a wrapped 1.0 would become 0.
            scale: positive factor of the input before the exponential; the ``1/sqrt(d)`` of attention costs nothing
                here.

        Raises:
            IllegalParameters: the lanes do not divide the size, or the row is too long for the result's width.
        """
        size, bits = shape[2], result.target.bits
        growth = ceil(log2(size)) if size > 1 else 0
        exp_bits = min(bits + GUARD_BITS + growth, max(DSP_BITS, bits + GUARD_BITS + 1))
        step = scale * source.scale
        # Beyond this distance an exponential rounds to 0.
        reach = ceil((exp_bits + 1) * log(2.0) / step)
        needed = min(source.bits, max(1, reach.bit_length()))
        index_bits = min(needed, MAX_INDEX_BITS)
        drop = needed - index_bits
        top = (1 << exp_bits) - 1
        power = (size * top).bit_length() + bits + GUARD_BITS
        table = np.rint(np.exp(-step * (np.arange(1 << index_bits) << drop)) * top).astype(np.int64)
        saturating = replace(result, overflow=Overflow.SATURATE)
        operator = Softmax(*shape, lanes, causal, source, drop, index_bits, exp_bits, power, saturating, DEEPEST)
        return operator, {"exp": table}

    @property
    def blocks(self) -> int:
        """Beats per row."""
        return self.size // self.lanes

    @property
    def sum_bits(self) -> int:
        """Bits of the largest sum of a row."""
        return (self.size * ((1 << self.exp_bits) - 1)).bit_length()

    @property
    def shift(self) -> int:
        """Requantisation shift."""
        return self.power - self.result.target.fraction_bits

    @property
    def quotient_bits(self) -> int:
        """Bits of the quotient: the sum is at least ``2**exp_bits - 1``."""
        return self.power - self.exp_bits + 1

    @property
    def row_cycles(self) -> int:
        """Cycles from a row to the next one: the slowest step's."""
        return max(self.blocks, self.quotient_bits + 1)

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each, see the RTL."""
        return sum(self._step_levels)

    @property
    def _step_levels(self) -> tuple[int, int, int]:
        """Those of the load, of the exponentials, of the scaling."""
        tree = (self.lanes - 1).bit_length()
        return tree + self.causal, tree + 3, 3

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def step_registers(self) -> tuple[int, int, int]:
        """Those of the load, of the exponentials, of the scaling."""
        load, exp, _ = self._step_levels
        loading = registers_until(load, self.registers, self.levels)
        scaled = registers_until(load + exp, self.registers, self.levels)
        return loading, scaled - loading, self.registers - scaled

    @property
    def in_beats(self) -> int:
        """Input beats that are stored: two rows, or what comes in until the first beat of a row is read."""
        return min(4 * self.blocks, max(2 * self.blocks, self.blocks + self.step_registers[0] + 2))

    @property
    def rows(self) -> int:
        """Rows of exponentials that are stored: those that start until one is scaled."""
        return ceil((2 * self.blocks + self.quotient_bits + self.step_registers[1] + 4) / self.row_cycles)

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.tokens, self.groups * self.size, self.lanes, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.groups * self.size, self.lanes, self.result.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Lanes": self.lanes,
            "Blocks": self.blocks,
            # Only the causal limit depends on the position, so that other shapes share one compiled operator.
            "Groups": self.groups if self.causal else 1,
            "Tokens": self.tokens if self.causal else 1,
            "Causal": int(self.causal),
            "InWidth": self.source.bits,
            "InSigned": int(self.source.signed),
            "Drop": self.drop,
            "IndexWidth": self.index_bits,
            "ExpWidth": self.exp_bits,
            "SumWidth": self.sum_bits,
            "Power": self.power,
            "Shift": self.shift,
            "Stages": self.registers,
            **self.result.rtl_parameters(),
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        table = contents["exp"]
        self.require(table[0] == (1 << self.exp_bits) - 1, "entry 0 of the table is the largest word")
        words = inputs["in"].elements
        x = words.reshape(-1, self.tokens, self.groups, self.size).astype(np.int64)
        kept = np.ones((self.tokens, 1, self.size), dtype=bool)
        if self.causal:
            kept = np.tri(self.tokens, self.size, dtype=bool)[:, None, :]
        maximum = np.where(kept, x, self.source.minimum).max(axis=-1, keepdims=True)
        distance = (np.maximum(maximum - x, 0) + ((1 << self.drop) >> 1)) >> self.drop
        exps = np.where(kept, table[np.minimum(distance, (1 << self.index_bits) - 1)], 0)
        factor = (1 << self.power) // exps.sum(axis=-1, keepdims=True)
        return {"out": Words(self.result.apply(exps * factor, self.shift).reshape(words.shape))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        return {"exp": MemoryImage(contents["exp"].reshape(-1, 1), self.exp_bits)}

    def cycles(self) -> Cycles:
        rows, row = self.tokens * self.groups, self.row_cycles
        first = 3 * self.blocks + self.quotient_bits + self.registers + 8
        return Cycles(latency=first + (rows - 1) * row, interval=rows * row)

    def bill(self) -> Bill:
        lanes, blocks, x, e = self.lanes, self.blocks, self.source.bits, self.exp_bits
        target, quotient, rows = self.result.target.bits, self.quotient_bits, self.rows
        waiting, exps = self.in_beats, rows * blocks
        places = self.step_registers[2] + 3
        stored = Memory(waiting, lanes * x, transparent=False), Memory(exps, lanes * e, transparent=False)
        return (
            *stored,
            *map(WordRegister, stored),
            Memory(waiting // blocks, x + 1, registered=False),
            Memory(rows, self.sum_bits + 1, registered=False),
            *[Constants(1 << self.index_bits, e)] * lanes,
            Maxima(lanes, x),
            Differences(lanes, x + 1),  # to the maximum
            Adders(lanes, self.sum_bits),
            SerialDivision(self.sum_bits, quotient),
            Registers(2 * x + (self.drop > 0) + lanes * self.index_bits + self.sum_bits + quotient),
            Registers(self._pipeline_bits()),
            Multipliers(lanes, e + 1, quotient + 1, unsigned=True),
            requantizers(self.result, lanes, max(target, self.power + 1 - self.shift), 1),
            Memory(places, lanes * target + 1, transparent=False),
            Registers(lanes * target + 2),
            *counters([blocks] * 3 + [waiting] * 2 + [exps] * 2 + [waiting + 1, rows + 1]),
            *counters([places] * 2 + [places + 1] * 2 + [rows] * 2 + [rows + 1]),
            *(self._mask() if self.causal else ()),
            Handshake(),
        )

    def _pipeline_bits(self) -> int:
        """Flip-flops of the registers within the arithmetic, and of the strobes beside them."""
        loading, summing, scaling = self.step_registers
        masks = self.lanes if self.causal else 0
        strobes = 3 * loading + 1 + 4 * (summing + 2) + 2 + 2 * (scaling + 1)
        row = 1 + (bits(self.tokens + 1) if self.causal else 0)  # how it ends, and where
        return pipeline_bits(self._level_widths(masks), self.registers) + masks + strobes + row * (loading + 1)

    def _level_widths(self, masks: int) -> list[int]:
        """Bits that leave each level of the arithmetic."""
        lanes, x, e, tree = self.lanes, self.source.bits, self.exp_bits, tree_words(self.lanes)
        total = e + len(tree)
        kept = self.power + 1 - (0 if self.result.rounding is Rounding.HALF_EVEN else max(self.shift - 1, 0))
        return [
            *([lanes * x] if self.causal else []),
            *[words * x for words in tree],
            (lanes + 1) * x + masks,
            lanes * (x + 1 - self.drop) + masks,
            lanes * e,
            *[words * total for words in tree],
            lanes * e + self.quotient_bits,
            lanes * kept,
            lanes * max(self.power + 2 - self.shift, self.result.target.bits + 1),
        ]

    def _mask(self) -> Bill:
        element = self.lanes * self.blocks + 1
        return Comparators(self.lanes, bits(element)), *counters([element] * 3 + [self.tokens] * 2 + [self.groups])

    def held(self, port: str) -> Fraction:
        # Rows are stored as they come in and as exponentials; results are on their way to the output.
        beats = self.in_beats + self.blocks * self.rows + self.step_registers[2] + 4
        return Fraction(beats, self.blocks * self.tokens * self.groups)
