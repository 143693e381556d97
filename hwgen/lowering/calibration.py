"""Calibration: the float values that each tensor takes on the user's data, and the scale that suits them best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hwgen.lowering.statistics import Statistics
from hwgen.model.float_reference import walk
from hwgen.model.graph import Graph
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import IntFormat, quantize

BATCH_ELEMENTS = 1 << 25  # of all tensors of a batch: few samples of a large model, all of a small one
CLIPPING_STEPS = 4  # finer scales tried below the one that represents the largest value


@dataclass(frozen=True)
class Calibration:
    """Float values observed per node, at most ``VALUES_PER_TENSOR`` of each: see ``Statistics``."""

    values: Mapping[str, Array]
    _chosen: dict[tuple[str, int, bool], int] = field(default_factory=dict, compare=False, repr=False)

    @staticmethod
    def collect(graph: Graph, inputs: Mapping[str, Array], seed: int = 0) -> Calibration:
        """Run the float model on calibration samples, a few at a time.

        Args:
            graph: the imported graph.
            inputs: per input node, ``(samples, *grid, features)`` float or id arrays.
            seed: of the subsample.
        """
        generator = np.random.default_rng(seed)
        samples = len(next(iter(inputs.values())))
        found = {node.name: Statistics(samples * node.shape.elements, generator) for node in graph.nodes}
        step = max(1, BATCH_ELEMENTS // max(1, sum(node.shape.elements for node in graph.nodes)))
        for start in range(0, samples, step):
            batch = {name: array[start : start + step] for name, array in inputs.items()}
            for name, tensor in walk(graph, batch):
                found[name].add(tensor.ravel())
        return Calibration({name: statistics.values for name, statistics in found.items()})

    def fraction_bits(self, tensor: str, bits: int, signed: bool) -> int:
        """Fraction bits of the power-of-two scale with the least squared error for ``tensor``; may be negative."""
        key = (tensor, bits, signed)
        if key not in self._chosen:
            self._chosen[key] = best_fraction_bits(self.values[tensor], bits, signed)
        return self._chosen[key]


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
