"""What ``dse_layer_norm`` and ``dse_rms_norm`` share: the steps of ``rtl/dse_norm.sv``, their registers and parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from hwgen.hardware.operator import Cycles
from hwgen.hardware.pipeline import pipeline_bits, registers, registers_until, tree_words
from hwgen.hardware.requantizers import requantizers
from hwgen.numbers.rescale import Requantize
from hwgen.technology.memories import Constants, Memory, WordRegister
from hwgen.technology.parts import (
    Adders,
    Bill,
    Handshake,
    Registers,
    Selectors,
    SerialRoot,
    Shifters,
    bits,
    counters,
)

USES = (
    "dse_adder_tree",
    "dse_credit_fifo",
    "dse_delay",
    "dse_divider",
    "dse_event",
    "dse_norm",
    "dse_normalizer",
    "dse_requantizer",
    "dse_root",
    "dse_row_queue",
)


@dataclass(frozen=True)
class Normalization:
    """Rows of ``blocks`` beats of ``lanes`` elements on their way through sums, root, division and normalisation.

    Attributes:
        centred: whether the mean is removed and beta added.
        lanes, blocks: elements per beat, beats per row.
        parameters: of the RTL.
        result: requantisation.
        stages: registers that were asked for.
    """

    centred: bool
    lanes: int
    blocks: int
    parameters: Mapping[str, int]
    result: Requantize
    stages: int

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each, see the RTL."""
        return sum(self._step_levels)

    @property
    def registers(self) -> int:
        """Registers within the arithmetic."""
        return registers(self.stages, self.levels)

    @property
    def _step_levels(self) -> tuple[int, int, int]:
        """Those before the running sums, of the radicand, of the normalisation."""
        tree, leading = (self.lanes - 1).bit_length(), (self._places - 1).bit_length()
        return 1 + tree, (3 if self.centred else 1) + leading, 10 if self.centred else 7

    @property
    def _places(self) -> int:
        """Pairs of bits in which the leading one of the radicand can be."""
        return self.parameters["HalfWidth"] - self.parameters["Guard"]

    def _until(self, level: int) -> int:
        return registers_until(level, self.registers, self.levels)

    @property
    def _scaling(self) -> int:
        """Registers of the normalisation."""
        adding, preparing, _ = self._step_levels
        return self.registers - self._until(adding + preparing)

    @property
    def row_cycles(self) -> int:
        """Cycles from a row to the next one: the slowest step's."""
        return max(self.blocks, self.parameters["RootBits"] + 2)

    @property
    def rows(self) -> int:
        """Rows that are stored: those that start until one is normalised."""
        before = self.registers - self._scaling
        return ceil((2 * self.blocks + 2 * self.parameters["RootBits"] + before + 4) / self.row_cycles)

    def cycles(self, rows: int) -> Cycles:
        """Timing of samples of so many rows."""
        first = 2 * self.blocks + 2 * self.parameters["RootBits"] + self.registers + 7
        return Cycles(latency=first + (rows - 1) * self.row_cycles, interval=rows * self.row_cycles)

    def held(self) -> Fraction:
        """Rows that are inside: stored, or on their way to the output."""
        return self.rows + Fraction(self._scaling + 4, self.blocks)

    def bill(self, products: Bill) -> Bill:
        """All parts but ``products``, and those."""
        p, lanes, blocks, rows, root = self.parameters, self.lanes, self.blocks, self.rows, self.parameters["RootBits"]
        target, places = self.result.target.bits, self._scaling + 3
        sums = p["SquareWidth"] + self._sum_bits
        row = Memory(rows * blocks, self._in_bits, transparent=False)
        return (
            row,
            WordRegister(row),
            Constants(blocks, lanes * p["GammaWidth"]),
            Constants(blocks, lanes * p["AccWidth"] if self.centred else 0),
            Memory(rows, 2 * root, registered=False),
            Memory(rows, self._sum_bits + self._norm_bits + 1, registered=False),
            *products,
            Adders(lanes, sums + (p["NumWidth"] if self.centred else 0)),
            Adders(2 if self.centred else 1, 2 * p["HalfWidth"]),
            Selectors(sum(self._leading_widths())),
            SerialRoot(root),
            Shifters(lanes, p["ZWidth"] + 5, max(0, self._norm_bits - 2)),
            Shifters(lanes, p["ZWidth"] + 1, 2),
            Adders(lanes, p["ZWidth"] + (p["AccWidth"] if self.centred else 0)),  # rounding, beta
            requantizers(self.result, lanes, p["AccWidth"], 1),
            Registers(sums + self._sum_bits + self._norm_bits + root + 2),
            Registers(pipeline_bits(self._level_widths(), self.registers) + self._beside_bits()),
            Memory(places, lanes * target + 1, transparent=False),
            Registers(lanes * target + 2),
            *counters([blocks] * 2 + [rows * blocks] * 2 + [rows + 1] * 3 + [rows] * 4),
            *counters([places] * 2 + [places + 1] * 2),
            Handshake(),
        )

    @property
    def _in_bits(self) -> int:
        return self.lanes * self.parameters["InWidth"]

    @property
    def _sum_bits(self) -> int:
        return self.parameters["SumWidth"] if self.centred else 0

    @property
    def _largest_shift(self) -> int:
        """Of a normalised word, to the right."""
        return self.parameters["RootBits"] - 1 + self._places - self.parameters["Fraction"]

    @property
    def _norm_bits(self) -> int:
        return bits(self._largest_shift + 2)

    def _leading_widths(self) -> list[int]:
        """Bits that leave each level of the shift that removes leading zeros, as far as later ones need them."""
        levels, p = (self._places - 1).bit_length(), self.parameters
        later = [(1 << (levels - level)) - 1 for level in range(1, levels + 1)]  # pairs that may still be removed
        return [
            min(2 * p["HalfWidth"], 2 * (p["RootBits"] + pairs)) + min(self._places, pairs) + level
            for level, pairs in enumerate(later, 1)
        ]

    def _level_widths(self) -> list[int]:
        """Bits that leave each level of the arithmetic."""
        return [*self._sum_widths(), *self._radicand_widths(), *self._scaling_widths()]

    def _sum_widths(self) -> list[int]:
        p, tree, x = self.parameters, tree_words(self.lanes), self.parameters["InWidth"]
        beat = min(2 * x + 1 + len(tree), p["SquareWidth"])
        if self.centred:
            beat += min(x + 1 + len(tree), p["SumWidth"])
        squares = 2 * self._in_bits + (self._in_bits if self.centred else 0)
        return [squares, *[words * beat for words in tree]]

    def _radicand_widths(self) -> list[int]:
        p, total = self.parameters, self._sum_bits
        wide = 2 * p["HalfWidth"]
        sized = min(wide, p["SquareWidth"] + self.odd.bit_length() - (self.odd == 1))
        moments = [sized + min(wide, 2 * total) + total, wide - 2 * p["Guard"] + total] if self.centred else []
        return [*moments, wide - 2 * p["Guard"] + total, *[width + total for width in self._leading_widths()]]

    def _scaling_widths(self) -> list[int]:
        p, lanes = self.parameters, self.lanes
        num, z, acc = p["NumWidth"], p["ZWidth"], p["AccWidth"]
        multiple = min(num, p["InWidth"] + self.odd.bit_length() - (self.odd == 1) + (not p["InSigned"]))
        # A constant shift of about three bits more than gamma has follows, so that low bits are not needed.
        kept = max(self.result.target.bits, acc - p["GammaWidth"] - 2)
        return [
            self._in_bits,
            *([lanes * multiple, lanes * num] if self.centred else []),
            lanes * (num + p["RootBits"] + 2),
            lanes * (z + 5),
            lanes * (z + 1),
            lanes * z,
            *([lanes * acc] if self.centred else []),
            lanes * kept,
            lanes * acc,
        ]

    @property
    def odd(self) -> int:
        """The odd factor of the row's size: powers of two are shifts."""
        size = self.lanes * self.blocks
        return size // (size & -size)

    def _beside_bits(self) -> int:
        """Flip-flops beside the pipeline: strobes, what a row is normalised with, addresses and words of constants."""
        p, scaled = self.parameters, sum(self._step_levels[:2])
        adding = self._until(self._step_levels[0])
        before = self._until(scaled)
        factor = 3 if self.centred else 1  # levels before the product with the factor
        wait = [self._until(scaled + factor + level) - before for level in range(6)]
        strobes = 4 * adding + 2 + 2 * (before - adding) + 2 * (self._scaling + 1)
        row = wait[0] * (p["RootBits"] + 1) + wait[1] * self._norm_bits + 2 * (wait[2] - wait[1])
        constants = self._constant_bits(wait[4], self.lanes * p["GammaWidth"])
        if self.centred:
            row += (self._until(scaled + 2) - before) * p["SumWidth"]
            constants += self._constant_bits(wait[5], self.lanes * p["AccWidth"])
        return strobes + row + constants

    def _constant_bits(self, wait: int, width: int) -> int:
        """An address that waits, and the second register of its word; constants that never change have none."""
        return (wait - 1) * bits(self.blocks) + width if wait and self.blocks > 1 else 0
