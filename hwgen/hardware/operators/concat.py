"""Concatenation of two streams along the features or along the tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwgen.hardware.operator import Cycles, Operator
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.arrays import Array
from hwgen.technology.parts import Bill, Counter, Handshake, Selectors, SpillRegister


@dataclass(frozen=True)
class Concat(Operator):
    """``periods`` times: a run of ``a``, then a run of ``b``.

    Along the features there is one period per token; along a grid axis, one per position of the axes before it. While
    the run of one input passes, the other waits: behind a fork it needs a buffer of a whole run.

    Attributes:
        a, b: types of the inputs; same lanes and integer format. Equal tokens along the features, else equal features.
        periods: periods per sample; divides the tokens of both.
        along_features: whether the features are concatenated.
    """

    a: StreamType
    b: StreamType
    periods: int
    along_features: bool

    module = "dse_concat"

    def __post_init__(self) -> None:
        a, b = self.a, self.b
        self.require(a.format.plain, "the inputs have an integer format")
        self.require((a.lanes, a.format) == (b.lanes, b.format), "both inputs have the same lanes and the same format")
        self.require(a.tokens % self.periods == 0 and b.tokens % self.periods == 0, "the periods divide the tokens")
        if self.along_features:
            self.require(a.tokens == b.tokens == self.periods, "along the features each token is a period")
        else:
            self.require(a.features == b.features, "along the tokens both inputs have the same features")

    @property
    def inputs(self) -> Mapping[str, StreamType]:
        return {"a": self.a, "b": self.b}

    @property
    def outputs(self) -> Mapping[str, StreamType]:
        features = self.a.features + self.b.features if self.along_features else self.a.features
        tokens = self.a.tokens if self.along_features else self.a.tokens + self.b.tokens
        return {"out": StreamType(tokens, features, self.a.lanes, self.a.format)}

    def rtl_parameters(self) -> Mapping[str, int]:
        return {
            "Width": self.a.payload_bits,
            "BeatsA": self.a.beats // self.periods,
            "BeatsB": self.b.beats // self.periods,
        }

    def reference(self, inputs: Mapping[str, Words], contents: Mapping[str, Array]) -> Mapping[str, Words]:
        runs = [inputs[p].elements.reshape(inputs[p].samples, self.periods, -1) for p in ("a", "b")]
        out = self.outputs["out"]
        return {"out": Words(np.concatenate(runs, axis=2).reshape(-1, out.tokens, out.features))}

    def cycles(self) -> Cycles:
        beats = self.outputs["out"].beats
        return Cycles(latency=beats + 1, interval=beats)

    def runs_ahead(self, ahead: Collection[str]) -> bool:
        """A sample begins with ``a``, whatever ``b`` does."""
        return "a" in ahead

    def bill(self) -> Bill:
        width, beats = self.a.payload_bits, (self.a.beats + self.b.beats) // self.periods
        return SpillRegister(width), Selectors(width), Counter(beats), Handshake()

    def held(self, port: str) -> Fraction:
        """A whole run of one input passes while the other waits, and two beats are in the output register."""
        return Fraction(1, self.periods) + Fraction(2, self.inputs[port].beats)
