"""Stream types, and the integer words that travel on a stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import IllegalParameters
from hwgen.numbers.arrays import Array, bit_planes, pack_bits, row_slices
from hwgen.numbers.formats import Format


@dataclass(frozen=True)
class StreamType:
    """What one sample looks like on a stream: ``tokens`` vectors of ``features`` elements, ``lanes`` per beat.

    Tokens are grid positions in row-major order. Lane 0 is lowest in the payload; the exponents of a shared-exponent
    format lie above the elements.
    """

    tokens: int
    features: int
    lanes: int
    format: Format

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.features < 1 or self.lanes < 1:
            raise IllegalParameters(f"tokens, features and lanes are at least 1 in {self}")
        if self.features % self.lanes:
            raise IllegalParameters(f"lanes divide the features, but {self.lanes} does not divide {self.features}")

    @property
    def blocks(self) -> int:
        """Beats per token."""
        return self.features // self.lanes

    @property
    def beats(self) -> int:
        """Beats per sample."""
        return self.tokens * self.blocks

    def same_beats(self, other: StreamType) -> bool:
        """Whether the two differ only in how elements are grouped into tokens, so that their beats are equal."""
        mine = (self.tokens * self.features, self.lanes, self.format)
        return mine == (other.tokens * other.features, other.lanes, other.format)

    @property
    def element_bits(self) -> int:
        """Bits of one element (the mantissa of a shared-exponent format)."""
        return self.format.element_bits

    @property
    def exponents_per_beat(self) -> int:
        """Shared exponents in one beat; 0 for integers."""
        return self.format.exponents_in(self.lanes)

    @property
    def exponent_bits(self) -> int:
        """Bits of one shared exponent; 0 for integers."""
        return self.format.exponent_bits

    @property
    def signed(self) -> bool:
        """Whether elements may be negative."""
        return self.format.element.signed

    @property
    def payload_bits(self) -> int:
        """Bits of one beat."""
        return self.lanes * self.element_bits + self.exponents_per_beat * self.exponent_bits

    @property
    def container_bytes(self) -> int:
        """Bytes that a simulator port of the payload occupies."""
        for size in (8, 16, 32, 64):
            if self.payload_bits <= size:
                return size // 8
        return 4 * -(-self.payload_bits // 32)


@dataclass(frozen=True)
class Words:
    """The integer content of a stream for a batch of samples.

    Attributes:
        elements: ``(samples, tokens, features)`` words of elements; the mantissas of a shared-exponent format.
        exponents: ``(samples, tokens, blocks, exponents_per_beat)``, None for integers. They are kept per beat
            because a window or a fork repeats them with the beat.
    """

    elements: Array
    exponents: Array | None = None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.elements.shape[0])

    def repeated(self, samples: int) -> Words:
        """``samples`` copies of the one sample."""
        if self.exponents is None:
            return Words(np.repeat(self.elements, samples, axis=0))
        return Words(np.repeat(self.elements, samples, axis=0), np.repeat(self.exponents, samples, axis=0))

    def grouped(self, stream: StreamType) -> Words:
        """The same words with the tokens and features of ``stream``, whose beats are the same."""
        if self.elements.shape[1:] == (stream.tokens, stream.features):
            return self
        elements = self.elements.reshape(self.samples, stream.tokens, stream.features)
        if self.exponents is None:
            return Words(elements)
        return Words(elements, self.exponents.reshape(self.samples, stream.tokens, stream.blocks, -1))

    def integers(self, stream: StreamType) -> Array:
        """Elements decoded, exponents applied: ``(samples, tokens, features)`` integers at the format's scale."""
        if self.exponents is None:
            return stream.format.integers(self.elements)
        lanes = stream.lanes // stream.exponents_per_beat
        shifts = np.repeat(self.exponents.reshape(*self.elements.shape[:2], -1), lanes, axis=2)
        return stream.format.integers(self.elements, shifts)


def beat_bytes(words: Words, stream: StreamType) -> bytes:
    """All beats of all samples as simulator containers, one after another (little-endian, zero padded)."""
    beats = words.samples * stream.beats
    elements = words.elements.reshape(beats, stream.lanes)
    containers = np.zeros((beats, stream.container_bytes), dtype=np.uint8)
    payload = containers[:, : -(-stream.payload_bits // 8)]
    if words.exponents is None:
        payload[:] = pack_bits(elements, stream.element_bits)
        return containers.tobytes()
    exponents = words.exponents.reshape(beats, -1)
    for part in row_slices(elements):
        bits = (bit_planes(elements[part], stream.element_bits), bit_planes(exponents[part], stream.exponent_bits))
        payload[part] = np.packbits(np.concatenate(bits, axis=1), axis=1, bitorder="little")
    return containers.tobytes()
