"""Products of two tensors, head by head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import TWO
from hwgen.model.kinds.kind import Kind, Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class MatMul(Kind):
    """``a`` is ``(Ta, heads*K)``.

    With ``transpose_b``, ``b`` is ``(Tb, heads*K)`` and ``out[t, h*Tb+s] = sum_k a[t,h,k] b[s,h,k]``. Otherwise ``a``
    is ``(Ta, heads*Tb)``, ``b`` is ``(Tb, heads*N)`` and ``out[t, h*N+n] = sum_s a[t,h,s] b[s,h,n]``.
    """

    heads: int
    transpose_b: bool

    name = "matmul"
    arity = TWO
    tensor_names = ()
    requantizes = True

    def __post_init__(self) -> None:
        demand(self.heads >= 1, f"there is at least one head, not {self.heads}")

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """The first operand's grid; see the class for the features."""
        a, b = inputs
        divides = a.features % self.heads == 0 and b.features % self.heads == 0
        demand(divides, f"features do not divide into {self.heads} heads")
        if self.transpose_b:
            demand(a.features == b.features, f"reduction over {a.features} and {b.features} features")
            return Shape(a.grid, self.heads * b.tokens)
        fits = a.features == self.heads * b.tokens
        demand(fits, f"reduction over {a.features // self.heads} features and {b.tokens} tokens")
        return Shape(a.grid, b.features)

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The products in float32."""
        a, b = (o.reshape(len(o), math.prod(o.shape[1:-1]), self.heads, -1).transpose(0, 2, 1, 3) for o in operands)
        if self.transpose_b:
            b = b.transpose(0, 1, 3, 2)
        return np.asarray(np.matmul(a, b).transpose(0, 2, 1, 3))

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """Every element of ``a`` meets every result of its token and head."""
        a, b = inputs
        return a.elements * (b.tokens if self.transpose_b else b.features // self.heads)

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Not assumed, though it holds where both operands are: words of products stay signed."""
        return False
