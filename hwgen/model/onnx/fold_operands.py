"""What a constant node is folded from, and the limit on what may come out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from hwgen.model.onnx.declared import Declared
from hwgen.model.onnx.source import MAX_RANK, SourceNode
from hwgen.numbers.arrays import Array

MAX_FOLDED_ELEMENTS = 1 << 26

Fold: TypeAlias = Callable[["Operands"], "Array | list[Array]"]
Folds: TypeAlias = Mapping[str, Declared[Fold]]


class Operands:
    """The operands, their element types and the attributes of a node whose operands are all constant.

    ``operands[0]`` must be there.
    """

    def __init__(self, node: SourceNode, inputs: Sequence[Array | None], types: Sequence[str | None]) -> None:
        self.node, self.inputs, self.types = node, inputs, types

    def __getitem__(self, index: int) -> Array:
        value = self.optional(index)
        if value is None:
            raise ValueError(f"operand {index} is missing")
        return value

    def optional(self, index: int) -> Array | None:
        """An operand, None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute as the file has it."""
        return self.node.attributes.get(name, default)

    def integers(self, name: str, index: int) -> list[int] | None:
        """A list of integers from an attribute, or from an operand in newer operator sets."""
        value = self.attribute(name)
        if value is None and self.optional(index) is not None:
            value = self[index].reshape(-1).tolist()
        if isinstance(value, int):
            return [value]
        return None if value is None else [int(v) for v in value]


def limited(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape as plain integers.

    Raises:
        ValueError: it is impossible, or a tensor of it would be too large.
    """
    sizes = tuple(int(s) for s in shape)
    if len(sizes) > 2 * MAX_RANK or any(s < 0 for s in sizes) or math.prod(sizes) > MAX_FOLDED_ELEMENTS:
        raise ValueError(f"the shape {sizes} is impossible or too large")
    return sizes
