"""What the importer knows of an ONNX tensor while it walks the graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hwgen.model.onnx.builder import Builder
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.view import View
from hwgen.numbers.arrays import Array


@dataclass(frozen=True)
class Const:
    """A tensor that does not depend on the inputs."""

    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """ONNX shape."""
        return tuple(self.array.shape)


class Deferred(ABC):
    """A change of a tensor that the next operator may take over; it becomes a tensor where that does not."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """ONNX shape of the changed tensor."""

    @abstractmethod
    def build(self, builder: Builder) -> View:
        """The changed tensor as one of its own.

        Raises:
            Refused: there is no hardware form for it.
        """


@dataclass(frozen=True)
class Masked(Deferred):
    """Attention scores of which only the entries where ``keep`` (the view's ONNX shape) is true count.

    ``highest`` is the largest number that stands for, or is added to, the others; far below all scores.
    """

    view: View
    keep: Array
    highest: float

    @property
    def shape(self) -> tuple[int, ...]:
        """ONNX shape of the scores."""
        return self.view.shape

    def build(self, builder: Builder) -> View:
        """Never: the scores that do not count have no number.

        Raises:
            Refused: always.
        """
        raise Refused("a mask is understood directly before a Softmax over the last axis only")


@dataclass(frozen=True, eq=False)
class Expr:
    """A real function of every element of ``base``, kept symbolic until something needs its tensor.

    Exporters spell GELU, SiLU and the like as five to ten operators. The function is therefore carried as its values
    at ``SAMPLE_POINTS`` and recognised by them, whatever its spelling.

    Attributes:
        base: the tensor that it is a function of.
        samples: the function's values at ``SAMPLE_POINTS``.
        operator: how to build it when not recognised: ``identity``, ``add``, ``mul``, ``clip`` or a function name.
        operands: what ``operator`` works on.
        parameters: bounds of a clip; alpha of a function.
        depth: number of operators from the base.
    """

    base: View
    samples: Array
    operator: str = "identity"
    operands: tuple[Expr | float, ...] = ()
    parameters: tuple[float, ...] = ()
    depth: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """ONNX shape: that of the base."""
        return self.base.shape


@dataclass(frozen=True)
class Poison:
    """The result of a refused node: whatever reads it is refused silently, so that each cause is reported once."""


Value: TypeAlias = Const | View | Expr | Deferred | Poison

_FAR = np.array([15.0, 20.0, 50.0, 100.0, 300.0, 1e3, 1e4, 1e5, 1e6, 1e9, 1e15, 1e25, 3e38])
SAMPLE_POINTS: Array = np.concatenate([-_FAR[::-1], np.linspace(-12.0, 12.0, 481), _FAR])


def identity(view: View) -> Expr:
    """The view as a function of itself."""
    return Expr(view, SAMPLE_POINTS)


def apply(expr: Expr, operator: str, function: Callable[[Array], Array], parameters: tuple[float, ...] = ()) -> Expr:
    """A function of an expression."""
    with np.errstate(all="ignore"):
        return Expr(expr.base, function(expr.samples), operator, (expr,), parameters, expr.depth + 1)


def combine(a: Expr | float, b: Expr | float, operator: str, function: Callable[[Array, Array], Array]) -> Expr:
    """Two expressions of the same base, or an expression and a number, combined element by element."""
    base = a.base if isinstance(a, Expr) else b.base if isinstance(b, Expr) else None
    if base is None:
        raise TypeError("combine needs an expression")
    samples = [o.samples if isinstance(o, Expr) else np.asarray(float(o)) for o in (a, b)]
    with np.errstate(all="ignore"):
        values = np.broadcast_to(function(*samples), SAMPLE_POINTS.shape)
    depth = 1 + max(o.depth for o in (a, b) if isinstance(o, Expr))
    return Expr(base, values, operator, (a, b), (), depth)


def require_sampled_crossings(samples: Array) -> None:
    """Check that a function changes its sign at sample points only, so that a jump there is seen where it is.

    Raises:
        Refused: it changes its sign between two of them.
    """
    with np.errstate(all="ignore"):
        near = np.abs(samples) <= 1e-9 * np.maximum(1.0, np.abs(SAMPLE_POINTS))
    signs = np.where(near, 0.0, np.sign(samples))
    if (signs[1:] * signs[:-1] < 0).any():
        raise Refused("a jump at a number that is no multiple of 0.05; round the threshold, or use a smooth function")
