"""Root mean square normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Unary, one_per
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class RmsNorm(Unary):
    """``gamma * x / sqrt(mean(x * x) + epsilon)`` over the features of each token."""

    epsilon: float

    name = "rms_norm"
    tensor_names = ("gamma",)
    requantizes = True

    def __post_init__(self) -> None:
        demand(self.epsilon > 0, f"epsilon {self.epsilon} is not positive")

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """That of the operand."""
        one_per(inputs[0].features, "feature", gamma=tensors["gamma"])
        return inputs[0]

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """In float32."""
        x = operands[0]
        root = np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        return np.asarray(x / root * tensors["gamma"].read())

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Never: a gamma can be negative."""
        return False
