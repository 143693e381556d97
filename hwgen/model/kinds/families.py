"""What several kinds have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from hwgen.model.kinds.kind import Arity, Kind, Tensors, demand
from hwgen.model.shape import Shape
from hwgen.model.tensors import Tensor

NONE, ONE, TWO, SEVERAL = Arity(0, 0), Arity(1, 1), Arity(2, 2), Arity(2, None)


class Source(Kind):
    """A tensor that no operator makes: an input, or a constant. It is placed with what reads it."""

    arity = NONE
    requantizes = False

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None."""
        return 0


class Weighted(Kind):
    """Products with a stored ``weight`` ``(outputs, ...)``, reduced axes last, and a ``bias`` ``(outputs,)``."""

    arity = ONE
    tensor_names = ("weight", "bias")
    requantizes = True

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """One for each weight of an output's row."""
        weight = tensors["weight"]
        return shape.elements * (weight.size // weight.shape[0])

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Never: a weight can be negative."""
        return False


class Moving(Kind):
    """Hands on elements of its one operand unchanged."""

    arity = ONE
    tensor_names = ()
    requantizes = False

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None."""
        return 0

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where the operand is."""
        return all(inputs)


class Unary(Kind):
    """A function of each element, or of each token: the output has the shape of its operand."""

    arity = ONE

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """That of the operand."""
        return inputs[0]

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None that are counted."""
        return 0


class Clamp(Unary):
    """Limits each element; it disappears into the requantisation of the operator before it where it can."""

    tensor_names = ()
    requantizes = False

    @property
    @abstractmethod
    def limits(self) -> tuple[float | None, float | None]:
        """Low and high, None where there is none."""

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where the low limit or the operand is."""
        low = self.limits[0]
        return (low is not None and low >= 0) or all(inputs)


class Binary(Kind):
    """A function of two elements; the smaller operand is a row or a column of the larger one, or has its shape."""

    arity = TWO
    tensor_names = ()
    requantizes = True

    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """That of the larger operand."""
        largest = max(inputs, key=lambda s: s.elements)
        for shape in inputs:
            row = shape.tokens == 1 and shape.features == largest.features
            column = shape.grid == largest.grid and shape.features == 1
            demand(shape == largest or row or column, f"{shape.dims} is no {largest.dims}, nor a row or column of it")
        return largest

    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """None that are counted."""
        return 0

    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Where both operands are."""
        return all(inputs)


def one_per(count: int, what: str, **tensors: Tensor) -> None:
    """Demand tensors with one value for each of ``count`` features."""
    for name, tensor in tensors.items():
        demand(tensor.shape == (count,), f"{name} has one value per {what}")
