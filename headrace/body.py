"""Types of a job body's fields (docs/api.md), for editors and type checkers; the service checks values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

Body = Mapping[str, Any]
Direction = Literal["maximize", "minimize"]


class Objective(TypedDict):
    """A metric and the direction that is better."""

    metric: str
    direction: Direction


class Bound(TypedDict, total=False):
    """A constraint: bounds on one metric, at least one of them."""

    metric: str
    min: float | None
    max: float | None


class JobFields(TypedDict, total=False):
    """The fields of a job body beside ``model`` and ``dataset``; each has a default."""

    platform: Body
    space: Body
    objectives: Sequence[Objective | Body]
    constraints: Sequence[Bound | Body]
    search: Body
    simulation: Body
    routing: Body
    metric: str | None
    output: str | None
    labels: Mapping[str, str]
