"""Calibration: the float values that each tensor takes on the user's data, and the scale that suits them best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hwgen.model.float_reference import evaluate
from hwgen.model.graph import Graph
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, quantize

VALUES_PER_TENSOR = 16384
CLIPPING_STEPS = 4  # finer scales tried below the one that represents the largest value


@dataclass(frozen=True)
class Calibration:
    """Float values observed per node, at most ``VALUES_PER_TENSOR`` of them, with the extremes always kept."""

    values: Mapping[str, Array]
    _chosen: dict[tuple[str, int, bool], int] = field(default_factory=dict, compare=False, repr=False)

    @staticmethod
    def collect(graph: Graph, inputs: Mapping[str, Array], seed: int = 0) -> Calibration:
        """Run the float model on calibration samples.

        Args:
            graph: the imported graph.
            inputs: per input node, ``(samples, *grid, features)`` float or id arrays.
            seed: of the subsample.
        """
        generator = np.random.default_rng(seed)
        tensors = evaluate(graph, inputs)
        return Calibration({name: _subsample(tensor.ravel(), generator) for name, tensor in tensors.items()})

    def fraction_bits(self, tensor: str, bits: int, signed: bool) -> int:
        """Fraction bits of the power-of-two scale with the least squared error for ``tensor``; may be negative."""
        key = (tensor, bits, signed)
        if key not in self._chosen:
            self._chosen[key] = best_fraction_bits(self.values[tensor], bits, signed)
        return self._chosen[key]


def _subsample(values: Array, generator: np.random.Generator) -> Array:
    if values.size <= VALUES_PER_TENSOR:
        return values
    chosen = generator.choice(values, VALUES_PER_TENSOR - 2, replace=False)
    return np.concatenate([chosen, [values.min(), values.max()]])


def covering_fraction_bits(largest: float, bits: int, signed: bool) -> int:
    """Most fraction bits with which ``largest`` (a magnitude) is still representable; 0 for an all-zero tensor."""
    if largest == 0 or not math.isfinite(largest):
        return 0
    top = IntFormat(bits, signed).maximum or 1  # a signed single bit has no positive word
    return math.floor(math.log2((top + 0.5) / largest))


def best_fraction_bits(values: Array, bits: int, signed: bool) -> int:
    """The scale with the least mean squared error among the covering one and ``CLIPPING_STEPS`` finer ones."""
    largest = float(np.abs(values).max(initial=0.0))
    covering = covering_fraction_bits(largest, bits, signed)
    if bits > 8:
        return covering  # clipping gains nothing where rounding error is already small
    errors = []
    for fraction in range(covering, covering + CLIPPING_STEPS):
        target = IntFormat(bits, signed, fraction)
        errors.append(float(np.square(quantize(values, target) * target.scale - values).mean()))
    return covering + int(np.argmin(errors))
