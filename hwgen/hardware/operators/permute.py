"""Reordering of a whole sample: transpositions that a change of weights cannot absorb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.errors import IllegalParameters
from hwgen.hardware.operator import Cycles, MemoryImage, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format
from hwgen.technology.memories import ConstantLogic, Memory
from hwgen.technology.parts import Adders, Bill, Handshake, Registers, SpillRegister, bits, counters


@dataclass(frozen=True)
class Permute(Operator):
    """``out_beat[i] = in_beat[address[i]]`` within a sample; shared exponents travel with their beat.

    Contents: ``address`` ``(beats,)``, a permutation; ``beat_order`` makes it. Beats move as they are, so the lanes
    divide the innermost run of elements that stays together, which is 1 for a full transposition.

    Attributes:
        in_tokens, in_features: shape of one sample before.
        out_tokens, out_features: shape of one sample after, with as many elements.
        lanes: elements per beat, before and after.
        format: of the elements.
    """

    in_tokens: int
    in_features: int
    out_tokens: int
    out_features: int
    lanes: int
    format: Format

    module = "dse_permute"

    def __post_init__(self) -> None:
        before, after = self.in_tokens * self.in_features, self.out_tokens * self.out_features
        self.require(before == after, f"{before} elements do not become {after}")
        for features in (self.in_features, self.out_features):
            self.require(features % self.lanes == 0, f"lanes {self.lanes} divide the {features} features")

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"in": StreamType(self.in_tokens, self.in_features, self.lanes, self.format)}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        return {"out": StreamType(self.out_tokens, self.out_features, self.lanes, self.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        stream = self.inputs["in"]
        return {"Width": stream.payload_bits, "Beats": stream.beats}

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        words, address, out = inputs["in"], contents["address"], self.outputs["out"]
        elements = words.elements.reshape(words.samples, -1, self.lanes)[:, address]
        elements = elements.reshape(words.samples, out.tokens, out.features)
        if words.exponents is None:
            return {"out": Words(elements)}
        exponents = words.exponents.reshape(words.samples, out.beats, -1)[:, address]
        return {"out": Words(elements, exponents.reshape(words.samples, out.tokens, out.blocks, -1))}

    def memory_images(self, contents: Mapping[str, Array]) -> Mapping[str, MemoryImage]:
        address, beats = contents["address"], self.inputs["in"].beats
        self.require(
            bool(np.array_equal(np.sort(address), np.arange(beats))),
            f"the addresses are a permutation of {beats} beats",
        )
        return {"address": MemoryImage(address.reshape(-1, 1), max(1, (beats - 1).bit_length()))}

    def cycles(self) -> Cycles:
        beats = self.inputs["in"].beats
        return Cycles(latency=2 * beats + 1, interval=beats)

    def bill(self) -> Bill:
        stream = self.inputs["in"]
        beats, width = stream.beats, stream.payload_bits
        return (
            Memory(2 * beats, width),
            ConstantLogic(beats, bits(beats)),
            # The word of an address, the address with its bank before and in the memory, and flags.
            Registers(bits(beats) + 2 * bits(2 * beats) + 7),
            Adders(1, bits(2 * beats)),
            SpillRegister(width),
            *counters([2 * beats, beats]),
            Handshake(),
        )

    def held(self, port: str) -> Fraction:
        return 2 + Fraction(2, self.inputs["in"].beats)


def most_lanes(view: Sequence[int], order: Sequence[int]) -> int:
    """Elements of the innermost run that a transposition of ``view`` by ``order`` keeps together."""
    axes = [axis for axis in range(len(view)) if view[axis] > 1]  # an axis of length 1 moves nothing
    moved = [axis for axis in order if view[axis] > 1]
    run = 1
    while axes and axes.pop() == (axis := moved.pop()):
        run *= view[axis]
    return run


def beat_order(view: Sequence[int], order: Sequence[int], lanes: int) -> Array:
    """The beat that comes at each place after a transposition.

    Args:
        view: factorisation of the whole tensor in stream order.
        order: permutation of the axes of ``view``.
        lanes: elements per beat; they divide ``most_lanes(view, order)``.

    Returns:
        ``(beats,)`` addresses for ``Permute``.

    Raises:
        IllegalParameters: a beat would be torn apart.
    """
    if most_lanes(view, order) % lanes:
        raise IllegalParameters(f"{lanes} lanes do not stay together in the order {tuple(order)} of {tuple(view)}")
    elements = np.arange(int(np.prod(view, dtype=np.int64))).reshape(view).transpose(order)
    beats: Array = elements.reshape(-1, lanes)[:, 0] // lanes
    return beats
