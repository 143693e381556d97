"""Exact lane balancing: a pipeline is as fast as its slowest operator, so the others are made as cheap as that allows.

Each operator has options (its legal lanes), each with an initiation interval and a resource vector. ``balance`` finds
the smallest interval that the resource caps admit, and the cheapest options that reach it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
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


@dataclass(frozen=True)
class Balanced(Generic[KeyT]):
    """A chosen option per operator.

    Attributes:
        interval: interval of the slowest operator, in cycles.
        cost: summed resources.
        chosen: operator -> option.
    """

    interval: int
    cost: tuple[float, ...]
    chosen: Mapping[str, Option[KeyT]]


def intervals(operators: Mapping[str, Sequence[Option[KeyT]]]) -> list[int]:
    """Every interval a balanced pipeline can have, ascending.

    It is the interval of some option, and no shorter than the fastest option of any operator.
    """
    floor = max((min(o.interval for o in options) for options in operators.values()), default=0)
    return sorted({o.interval for options in operators.values() for o in options if o.interval >= floor})


def cheapest(
    operators: Mapping[str, Sequence[Option[KeyT]]], interval: int, caps: Sequence[float] = ()
) -> Balanced[KeyT] | None:
    """The cheapest options with which no operator exceeds ``interval``.

    Cost is the sum of the shares of each capped resource, so a scarce resource weighs more. Where the cheapest
    options break a single cap, other options that keep all caps are searched for, exhaustively.

    Args:
        operators: options per operator.
        interval: upper bound in cycles.
        caps: upper bound per resource; none means that cost is the plain sum.

    Returns:
        None when some operator cannot reach the interval, or the caps admit no combination.
    """
    allowed = {name: [o for o in options if o.interval <= interval] for name, options in operators.items()}
    if not all(allowed.values()):
        return None
    chosen = {name: min(options, key=lambda o: share(o, caps)) for name, options in allowed.items()}
    if not _within(_total(chosen.values()), caps):
        found = _search(allowed, caps)
        if found is None:
            return None
        chosen = found
    slowest = max((o.interval for o in chosen.values()), default=0)
    return Balanced(slowest, _total(chosen.values()), chosen)


def balance(operators: Mapping[str, Sequence[Option[KeyT]]], caps: Sequence[float]) -> Balanced[KeyT] | None:
    """The shortest interval within the resource caps, and the cheapest options that reach it.

    Exact: a longer interval admits every option of a shorter one, so feasibility is monotone along the sorted
    intervals and bisection finds its edge.

    Returns:
        None when not even the slowest options fit.
    """
    candidates = intervals(operators)
    best: Balanced[KeyT] | None = None
    low, high = 0, len(candidates)
    while low < high:
        middle = (low + high) // 2
        found = cheapest(operators, candidates[middle], caps)
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle
    return best


def share(option: Option[KeyT], caps: Sequence[float]) -> tuple[float, int]:
    """What ``cheapest`` minimises: the summed shares of the caps (plain sum without caps), then the interval."""
    if not caps:
        return sum(option.cost), option.interval
    shares = (
        cost / cap if cap > 0 else (float("inf") if cost > 0 else 0.0)
        for cost, cap in zip(option.cost, caps, strict=True)
    )
    return sum(shares), option.interval


def _total(options: Iterable[Option[KeyT]]) -> tuple[float, ...]:
    costs = [o.cost for o in options]
    return tuple(map(sum, zip(*costs, strict=True)))


def _within(total: Sequence[float], caps: Sequence[float]) -> bool:
    return all(t <= c for t, c in zip(total, caps, strict=True)) if caps and total else True


def _undominated(options: Sequence[Option[KeyT]]) -> list[Option[KeyT]]:
    """Options that no other one undercuts in every resource (equal costs: the first)."""
    kept: list[Option[KeyT]] = []
    for option in sorted(options, key=lambda o: (o.cost, o.interval)):
        if not any(all(k <= c for k, c in zip(other.cost, option.cost, strict=True)) for other in kept):
            kept.append(option)
    return kept


def _search(allowed: Mapping[str, Sequence[Option[KeyT]]], caps: Sequence[float]) -> dict[str, Option[KeyT]] | None:
    """Any combination within the caps: depth first, cut off by the least that the remaining operators need."""
    names = sorted(allowed, key=lambda n: -len(allowed[n]))
    levels = [sorted(_undominated(allowed[n]), key=lambda o: share(o, caps)) for n in names]
    least = [tuple(map(min, zip(*(o.cost for o in options), strict=True))) for options in levels]
    remaining = [tuple(0.0 for _ in caps)]
    for needed in reversed(least):
        remaining.insert(0, tuple(a + b for a, b in zip(remaining[0], needed, strict=True)))
    # Partial sums already seen at a level and found hopeless: another path with no less of anything is hopeless too.
    hopeless: list[list[tuple[float, ...]]] = [[] for _ in levels]

    def descend(level: int, used: tuple[float, ...]) -> list[Option[KeyT]] | None:
        if any(u + r > c for u, r, c in zip(used, remaining[level], caps, strict=True)):
            return None
        if level == len(levels):
            return []
        if any(all(h <= u for h, u in zip(seen, used, strict=True)) for seen in hopeless[level]):
            return None
        for option in levels[level]:
            rest = descend(level + 1, tuple(u + c for u, c in zip(used, option.cost, strict=True)))
            if rest is not None:
                return [option, *rest]
        hopeless[level].append(used)
        return None

    found = descend(0, tuple(0.0 for _ in caps))
    return None if found is None else dict(zip(names, found, strict=True))
