"""What an operator of the graph is: its attributes, and everything that the float model says of it.

A kind is a frozen dataclass of its attributes. Each operator has a class of its own and answers every question by a
method of that class: there are no tables to extend, and a class that leaves an answer out is refused at its import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias, TypeVar

from hwgen.errors import IllegalGraph
from hwgen.model.shape import Shape
from hwgen.model.tensors import Tensor
from hwgen.numbers.arrays import Array

Tensors: TypeAlias = Mapping[str, Tensor]
Value: TypeAlias = int | float | str | bool | tuple[int, ...]

KINDS: dict[str, type[Kind]] = {}  # by name; ``registered`` fills it


@dataclass(frozen=True)
class Arity:
    """How many tensors an operator reads: ``least`` to ``most``, None where there is no limit."""

    least: int
    most: int | None

    def problem(self, count: int) -> str | None:
        """What is wrong with ``count`` operands, None where nothing is."""
        if self.most is None:
            return None if count >= self.least else f"has {count} inputs, needs at least {self.least}"
        return None if self.least <= count <= self.most else f"has {count} inputs, not {self.least}"


@dataclass(frozen=True)
class Kind(ABC):
    """Base of all kinds; subclasses are frozen dataclasses whose fields are the operator's attributes.

    A subclass refuses attributes that are never legal in ``__post_init__`` (see ``demand``), and operands that do not
    fit them in ``shape``.

    Attributes:
        name: in files, messages and node names; a legal identifier.
        arity: how many tensors it reads.
        tensor_names: constant tensors that a node of this kind holds.
        requantizes: its hardware ends in a requantisation, whose clamp can be the activation function behind it.
    """

    name: ClassVar[str]
    arity: ClassVar[Arity]
    tensor_names: ClassVar[tuple[str, ...]]
    requantizes: ClassVar[bool]

    @abstractmethod
    def shape(self, inputs: Sequence[Shape], tensors: Tensors) -> Shape:
        """Shape of the output.

        Args:
            inputs: shapes of the operands, as many as ``arity`` allows.
            tensors: handles of the names in ``tensor_names``.

        Raises:
            IllegalGraph: operands, attributes and tensors do not fit together; the message says how.
        """

    @abstractmethod
    def evaluate(self, operands: Sequence[Array], tensors: Tensors, shape: Shape) -> Array:
        """The output ``(samples, *grid, features)`` in float32, or any array of as many elements in that order.

        Args:
            operands: ``(samples, *grid, features)`` each.
            tensors: see ``shape``.
            shape: of the output.
        """

    @abstractmethod
    def macs(self, inputs: Sequence[Shape], tensors: Tensors, shape: Shape) -> int:
        """Multiply-accumulates of one inference."""

    @abstractmethod
    def non_negative(self, inputs: Sequence[bool], tensors: Tensors) -> bool:
        """Whether no element of the output can be negative, given whether elements of the operands can."""

    @property
    def attributes(self) -> dict[str, Value]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_K = TypeVar("_K", bound=Kind)


def registered(kind: type[_K]) -> type[_K]:
    """Class decorator: enters a kind under its name.

    Raises:
        TypeError: it lacks a method or a class attribute, or its name is taken.
    """
    required = ("name", "arity", "tensor_names", "requantizes")
    missing = [*sorted(kind.__abstractmethods__), *(n for n in required if not hasattr(kind, n))]
    if missing:
        raise TypeError(f"the kind {kind.__name__} says nothing of {', '.join(missing)}")
    if kind.name in KINDS:
        raise TypeError(f"the kinds {KINDS[kind.name].__name__} and {kind.__name__} are both called {kind.name}")
    KINDS[kind.name] = kind
    return kind


def from_attributes(name: str, attributes: Mapping[str, Any]) -> Kind:
    """The kind called ``name`` with these attributes, as plain JSON types (lists stand for tuples).

    Raises:
        IllegalGraph: there is no such kind, or its attributes are others or illegal.
    """
    if name not in KINDS:
        raise IllegalGraph(f"{name!r} is no operator of this version; upload its file again")
    wanted = {field.name for field in fields(KINDS[name])}
    if set(attributes) != wanted:
        raise IllegalGraph(f"{name} has the attributes {sorted(attributes)}, needs {sorted(wanted)}")
    return KINDS[name](**{k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items()})


def demand(condition: bool, message: str) -> None:
    """Raise IllegalGraph with ``message`` unless ``condition`` holds."""
    if not condition:
        raise IllegalGraph(message)


def is_integers(value: object, count: int) -> bool:
    """Whether ``value`` is a tuple of ``count`` integers: attributes come from files."""
    return isinstance(value, tuple) and len(value) == count and all(isinstance(v, int) for v in value)
