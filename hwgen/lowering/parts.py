"""The operators that implement one node: a short chain of parts, chosen by the node's formats and lanes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from hwgen.hardware.operator import Operator
from hwgen.numbers.arrays import Array


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


def widened(part: Part, **lanes: int) -> Part:
    """The part with other lanes, by the names of the operator's fields.

    Raises:
        IllegalParameters: the operator cannot take them.
    """
    # Every operator is a dataclass, which the type of the base cannot say.
    operator: Operator = dataclasses.replace(cast(Any, part.operator), **lanes)
    return dataclasses.replace(part, operator=operator)


def feed_of(parts: Sequence[Part]) -> int | str:
    """What the next part reads: the last one so far, or the node's first input."""
    return parts[-1].suffix if parts else 0
