"""The operators that implement one node: a short chain of parts, chosen by the node's formats and lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hwgen.hardware.operator import Operator
from hwgen.numbers.arrays import Array


@dataclass(frozen=True)
class Lanes:
    """Elements per cycle that a node takes and gives."""

    in_lanes: int
    out_lanes: int


@dataclass(frozen=True)
class Part:
    """One operator of a node.

    Attributes:
        suffix: of the instance name; empty for the part that makes the node's tensor.
        operator: its parameters.
        contents: its constant tensors.
        feeds: per input port, the index of the node's input or the suffix of an earlier part.
    """

    suffix: str
    operator: Operator
    contents: Mapping[str, Array] = field(default_factory=dict)
    feeds: Mapping[str, int | str] = field(default_factory=lambda: {"in": 0})
