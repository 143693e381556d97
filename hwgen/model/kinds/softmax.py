"""Softmax over groups of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Unary
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Softmax(Unary):
    """Softmax over each group of ``size`` consecutive features.

    Attributes:
        size: elements of a group; divides the features.
        causal: entry ``s`` of token ``t`` is kept for ``s <= t`` only.
    """

    size: int
    causal: bool

    name = "softmax"
    tensor_names = ()
    requantizes = False

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """That of the operand."""
        (x,) = inputs
        fits = self.size >= 1 and x.features % self.size == 0
        demand(fits, f"groups of {self.size} do not divide {x.features} features")
        demand(not self.causal or x.tokens == self.size, f"causal over {x.tokens} queries and {self.size} keys")
        return x

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """In float32, the maximum subtracted."""
        x = operands[0]
        groups = x.reshape(len(x), shape.tokens, -1, self.size)
        if self.causal:
            keep = np.tri(shape.tokens, self.size, dtype=bool)[None, :, None, :]
            groups = np.where(keep, groups, np.float32(-np.inf))
        powers = np.exp(groups - groups.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Always."""
        return True
