"""Embeddings: rows of a table by token id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.model.kinds.families import ONE
from hwgen.model.kinds.kind import Kind, Tensors, demand, registered
from hwgen.model.shape import Shape
from hwgen.numbers.arrays import Array


@registered
@dataclass(frozen=True)
class Embedding(Kind):
    """``out[t] = table[in[t]]``; ``table`` is ``(vocabulary, features)``, the operand one feature of integer ids."""

    name = "embedding"
    arity = ONE
    tensor_names = ("table",)
    requantizes = False

    def vocabulary(self, tensors: Tensors) -> int:
        """How many ids there are."""
        return tensors["table"].shape[0]

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """The operand's grid, the table's features."""
        table = tensors["table"].shape
        demand(inputs[0].features == 1, "token ids are one feature")
        demand(len(table) == 2, "the table has two axes: vocabulary, features")
        return Shape(inputs[0].grid, table[1])

    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The rows."""
        return np.asarray(tensors["table"].read()[operands[0][..., 0].astype(np.int64)])

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None."""
        return 0

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Not assumed: the table is not read for this."""
        return False
