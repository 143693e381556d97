"""Conversion of integers to shared-exponent blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format, IntFormat, Rounding
from hwgen.technology.memories import Memory
from hwgen.technology.parts import (
    Adders,
    Bill,
    Comparators,
    Handshake,
    Maxima,
    Registers,
    Requantizers,
    RoundingShifters,
    SpillRegister,
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
        rounding: rounding of the mantissas.
    """

    tokens: int
    features: int
    lanes: int
    source: IntFormat
    target: Format
    shift_bits: int
    rounding: Rounding = Rounding.HALF_UP

    module = "dse_to_mx"

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
        # A beat waits for its whole block, then extremes, exponent, issue, read, result and spill register.
        return Cycles(latency=beats + self.block_beats + 5, interval=beats)

    def bill(self) -> Bill:
        lanes, width, exponent = self.lanes, self.source.bits + 1, self.target.exponent_bits
        sub_blocks = self.outputs["out"].exponents_per_beat
        depth, payload = self.block_beats + 4, self.outputs["out"].payload_bits
        rounds, half_even = self.rounding is not Rounding.FLOOR, self.rounding is Rounding.HALF_EVEN
        mantissa, shifts = self.target.element.bits, 1 << exponent
        return (
            Memory(depth, lanes * self.source.bits + 1),
            Memory(depth, sub_blocks * exponent),
            Maxima(self._extremes * lanes, width),
            Registers(self._extremes * sub_blocks * width),
            *(self._minifloats() if self.target.element.code else self._tried_exponents()),
            Requantizers(lanes, width, mantissa, True, rounds, half_even, shifts),
            Registers(lanes * self.source.bits + payload + 2),
            SpillRegister(payload),
            *counters([depth] * 6 + [self.token_beats, self.block_beats] * 2),
            Handshake(),
        )

    @property
    def _extremes(self) -> int:
        """Of a block: the lowest of words without a sign decides nothing."""
        return 2 if self.source.signed else 1

    def _tried_exponents(self) -> Bill:
        """Both extremes of a block are rounded and compared at every exponent but the last."""
        tried, width = self._extremes * ((1 << self.target.exponent_bits) - 1), self.source.bits + 1
        count = tried * self.outputs["out"].exponents_per_beat
        rounded = (Adders(count, width),) if self.rounding is not Rounding.FLOOR else ()
        return Comparators(count, width), *rounded

    def _minifloats(self) -> Bill:
        """Magnitudes of the extremes and of the elements, and the place of their top bits."""
        lanes, width = self.lanes, self.source.bits + 1
        return (
            Adders(lanes + self._extremes * self.outputs["out"].exponents_per_beat, width),
            RoundingShifters(lanes, width, self.target.element.bits, width),
        )

    def held(self, port: str) -> Fraction:
        return Fraction(self.block_beats + 7, self.inputs["in"].beats)
