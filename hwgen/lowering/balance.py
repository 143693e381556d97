"""Lane balancing: a pipeline is as fast as its slowest operator, so the others are made as cheap as that allows.

Each operator has options (its legal lanes), each with an initiation interval and a resource vector. For an interval
that all of them reach, every operator for itself takes its cheapest option that reaches it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True)
class Option(Generic[KeyT]):
    """One way to build an operator.

    Attributes:
        key: what is chosen (its lanes).
        interval: cycles per inference, the operator alone.
        cost: resources, one non-negative figure per capped resource, in the same order for all options.
    """

    key: KeyT
    interval: int
    cost: tuple[float, ...]


def intervals(operators: Mapping[str, Sequence[Option[KeyT]]]) -> list[int]:
    """Every interval a balanced pipeline can have, ascending.

    It is the interval of some option, and no shorter than the fastest option of any operator.
    """
    floor = max((min(o.interval for o in options) for options in operators.values()), default=0)
    return sorted({o.interval for options in operators.values() for o in options if o.interval >= floor})


def share(option: Option[KeyT], caps: Sequence[float]) -> tuple[float, int]:
    """What makes an option cheap: its summed shares of the caps (a scarce resource weighs more), then the interval."""
    shares = (
        cost / cap if cap > 0 else (float("inf") if cost > 0 else 0.0)
        for cost, cap in zip(option.cost, caps, strict=True)
    )
    return sum(shares), option.interval
