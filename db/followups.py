"""What is done with complete trials after the search: a column of the state and one of the answer each.

States are None (never asked for), queued, running, done and failed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, RowMapping, or_

from db import tables
from db.rows import FollowUp

FOLLOW_UPS: tuple[FollowUp, ...] = ("sign_off", "routing")


def answer_column(name: FollowUp) -> str:
    """The column of what came out."""
    return f"{name}_result"


def any_queued() -> ColumnElement[bool]:
    """Of trials that wait for a worker: for their evaluation, or for something after it."""
    trials = tables.trials.c
    return or_(trials.state == "queued", *(trials[name] == "queued" for name in FOLLOW_UPS))


def queued(trial: RowMapping) -> FollowUp | None:
    """What a complete trial waits for."""
    return next((name for name in FOLLOW_UPS if trial[name] == "queued"), None)


def running(trial: RowMapping) -> FollowUp | None:
    """What runs of a complete trial."""
    return next((name for name in FOLLOW_UPS if trial[name] == "running"), None)


def withdrawn(trial: RowMapping) -> dict[str, Any]:
    """Changes that take back what nobody has finished; the trial stays complete."""
    return {name: None for name in FOLLOW_UPS if trial[name] in ("queued", "running")}
