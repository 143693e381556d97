"""Linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import Weighted, one_per
from hwgen.model.kinds.kind import Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Linear(Weighted):
    """``out[t] = weight @ in[t] + bias``; ``weight`` is ``(outputs, inputs)``."""

    name = "linear"

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """The operand's grid, and as many features as the weight has rows."""
        weight = tensors["weight"].shape
        demand(len(weight) == 2, "the weight has two axes: outputs, inputs")
        demand(weight[1] == inputs[0].features, f"{weight[1]} weight columns for {inputs[0].features} features")
        one_per(weight[0], "output", bias=tensors["bias"])
        return Shape(inputs[0].grid, weight[0])

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The products in float32."""
        return np.asarray(operands[0] @ tensors["weight"].read().T + tensors["bias"].read())
