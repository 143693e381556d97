"""Conversion of integers to shared-exponent blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.pipeline import pipeline_bits, registers, registers_until, tree_words
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat, Rounding
from hwgen.technology.memories import Memory, WordRegister
from hwgen.technology.parts import (
    Adders,
    Bill,
    Comparators,
    Handshake,
    Maxima,
    Registers,
    Requantizers,
    RoundingShifters,
    counters,
)


@dataclass(frozen=True)
class ToMx(Operator):
    """Blocks of ``target.block`` consecutive features of a token; the last block of a token may be shorter.

    ``out = target.convert(in, shift, rounding)``, which says how a block gets its exponent.
    Contents: ``shift`` ``()``, not negative: ``source.fraction_bits - target.fraction_bits``.

    Attributes:
        tokens, features: shape of one sample.
        lanes: elements per cycle; within a token they divide the block or are a multiple of it.
        source: format of the input.
        target: format of the result.
        shift_bits: width of the shift.
        stages: registers within the arithmetic, as many as it has levels at most.
        rounding: rounding of the mantissas.
    """

    tokens: int
    features: int
    lanes: int
    source: IntFormat
    target: Format
    shift_bits: int
    stages: int
    rounding: Rounding = Rounding.HALF_UP

    module = "dse_to_mx"
    uses = (
        "dse_credit_fifo",
        "dse_delay",
        "dse_event",
        "dse_maximum_tree",
        "dse_requantizer",
        "dse_row_queue",
    )

    def __post_init__(self) -> None:
        self.require(self.features % self.lanes == 0, f"lanes {self.lanes} divide the {self.features} features")
        self.require(self.target.block > 0, "the result has shared exponents")
        self.require(
            self.target.respects(self.lanes, self.features),
            f"lanes {self.lanes} and the block {self.target.block} divide one another",
        )

    @property
    def token_beats(self) -> int:
        """Beats per token."""
        return self.features // self.lanes

    @property
    def block_beats(self) -> int:
        """Beats per whole block; 1 when a beat holds several blocks."""
        return min(self.token_beats, max(1, self.target.block // self.lanes))

    @property
    def levels(self) -> int:
        """Levels of the arithmetic that can have a register each, see the RTL."""
        return sum(self._step_levels)

    @property
    def _step_levels(self) -> tuple[int, int, int]:
        """Those before a block's extremes, of its exponent, of the elements."""
        minifloat = self.target.element.code > 0
        tree = (self.lanes // self.outputs["out"].exponents_per_beat - 1).bit_length()
        return tree, 3 if minifloat else 2, 7 if minifloat else 3

    @property
    def registers(self) -> int:
        """Registers that it has."""
        return registers(self.stages, self.levels)

    @property
    def _converting(self) -> int:
        """Registers of the elements."""
        search, choice, _ = self._step_levels
        return self.registers - registers_until(search + choice, self.registers, self.levels)

    @property
    def depth(self) -> int:
        """Beats that are stored: a block, and what comes in until it has its exponent."""
        return self.block_beats + self.registers - self._converting + 2

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.tokens, self.features, self.lanes, self.source)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.tokens, self.features, self.lanes, self.target)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Lanes": self.lanes,
            "TokenBeats": self.token_beats,
            "BlockBeats": self.block_beats,
            "SubBlocks": self.outputs["out"].exponents_per_beat,
            "InWidth": self.source.bits,
            "InSigned": int(self.source.signed),
            "MantissaWidth": self.target.element_bits,
            "Code": self.target.element.code,
            "ExpWidth": self.target.exponent_bits,
            "ShiftWidth": self.shift_bits,
            "Stages": self.registers,
            "Rounding": int(self.rounding),
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        values, stream = inputs["in"].elements, self.outputs["out"]
        elements, exponents = self.target.convert(values, int(contents["shift"]), self.rounding)
        assert exponents is not None
        step = self.lanes // stream.exponents_per_beat
        per_beat = self.target.spread(exponents, self.features)[:, :, ::step]
        shape = (len(values), self.tokens, stream.blocks, stream.exponents_per_beat)
        return {"out": Words(elements, per_beat.reshape(shape))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        shift = contents["shift"]
        # A larger shift would round everything to zero, and the RTL's rounding is no wider.
        limit = max(self.source.bits + 1, self.target.element_bits)
        self.require(0 <= int(shift) <= limit, f"the shift is 0 to {limit}, not {shift}")
        return {"shift": MemoryImage(shift.reshape(1, 1), self.shift_bits)}

    def cycles(self) -> Cycles:
        beats = self.inputs["in"].beats
        # A beat waits for its whole block; extremes, exponent, word, buffer and output register take a cycle each.
        return Cycles(latency=beats + self.block_beats + self.registers + 4, interval=beats)

    def bill(self) -> Bill:
        lanes, width, exponent = self.lanes, self.source.bits, self.target.exponent_bits
        sub_blocks = self.outputs["out"].exponents_per_beat
        depth, payload, places = self.depth, self.outputs["out"].payload_bits, self._converting + 3
        rounds, half_even = self.rounding is not Rounding.FLOOR, self.rounding is Rounding.HALF_EVEN
        stored = Memory(depth, lanes * width + 1, transparent=False)
        return (
            stored,
            WordRegister(stored),
            Memory(depth, sub_blocks * exponent, registered=False),
            Maxima(self._extremes * lanes, width),
            Registers(self._extremes * sub_blocks * width + sub_blocks * exponent),
            Comparators(self._extremes * sub_blocks * ((1 << exponent) - 1), width),
            *(self._minifloats() if self.target.element.code else ()),
            Requantizers(lanes, width + 1, self.target.element.bits, True, rounds, half_even, 1 << exponent),
            Registers(pipeline_bits(self._level_widths(), self.registers) + self._beside_bits()),
            Memory(places, payload + 1, transparent=False),
            Registers(payload + 2),
            *counters([depth] * 5 + [depth + 1] * 2 + [self.token_beats, self.block_beats] * 2),
            *counters([places] * 2 + [places + 1] * 2),
            Handshake(),
        )

    def _level_widths(self) -> list[int]:
        """Bits that leave each level of the arithmetic."""
        lanes, width, exponent = self.lanes, self.source.bits, self.target.exponent_bits
        sub_blocks, mantissa = self.outputs["out"].exponents_per_beat, self.target.element.bits
        tree = [sub_blocks * self._extremes * words * width for words in tree_words(lanes // sub_blocks)]
        choice = [sub_blocks * ((1 << exponent) - 1), sub_blocks * exponent]
        if not self.target.element.code:
            rounding = [lanes * (width + 1), lanes * (width + 1)]
            return [*tree, *choice, lanes * width, *rounding]
        amount, own = max(exponent, (width + 1).bit_length()) + 1, mantissa - 1 - self.target.element.code
        negative = [sub_blocks * self._extremes * (width + 1)]
        steps = [width, width + amount, width + 2 * amount, own + 3, own + 2, own + 2 + amount]
        return [*tree, *negative, *choice, lanes * width, *[lanes * step for step in steps]]

    def _beside_bits(self) -> int:
        """Flip-flops beside the pipeline: strobes, and what an element is converted with."""
        search, choice, _ = self._step_levels
        until = [registers_until(level, self.registers, self.levels) for level in range(self.levels + 1)]
        searching, found = until[search], until[search + choice]
        exponents = self.outputs["out"].exponents_per_beat * self.target.exponent_bits
        strobes = 3 * searching + 1 + (found - searching) + self._converting + 1
        word = until[search + choice + 1] - found
        beside = (exponents + 1) * self._converting + exponents * word
        if self.target.element.code:
            step = until[search + choice + 4] - until[search + choice + 1]
            beside += exponents * step + self.lanes * (self._converting - word)
        return strobes + beside

    @property
    def _extremes(self) -> int:
        """Of a block: the lowest of words without a sign decides nothing."""
        return 2 if self.source.signed else 1

    def _minifloats(self) -> Bill:
        """Magnitudes of the extremes and of the elements, and the place of their top bits."""
        lanes, width = self.lanes, self.source.bits + 1
        return (
            Adders(lanes + self._extremes * self.outputs["out"].exponents_per_beat, width),
            RoundingShifters(lanes, width, self.target.element.bits, width),
        )

    def held(self, port: str) -> Fraction:
        return Fraction(self.depth + self._converting + 4, self.inputs["in"].beats)
