"""How the service fares: what waits, how often a cache answered, why trials come to nothing."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import ColumnElement, Connection, func, select

from db import tables
from db.engine import Database
from db.rows import HealthRow, ReasonRow, TrialState

_REASONS = 10
_REASON_CHARACTERS = 300


class Health:
    """``store.health``: counts for people who run the service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, trials: int) -> HealthRow:
        """What waits and runs now, and figures of the newest ``trials`` trials (ids sort by time)."""
        t = tables.trials
        newest = select(t.c.state, t.c.reason, t.c.cached_from, t.c.result).order_by(t.c.id.desc()).limit(trials)
        with self._database.read() as connection:
            waiting = _count(connection, t.c.state == "queued")
            running = _count(connection, t.c.lease_until.is_not(None))
            messages = connection.execute(select(func.count()).select_from(tables.outbox)).scalar_one()
            rows = connection.execute(newest).all()
        hits: Counter[str] = Counter()
        runs: Counter[str] = Counter()
        reasons: Counter[tuple[TrialState, str]] = Counter()
        for row in rows:
            for stage in (row.result or {}).get("stages", ()):
                runs[stage["name"]] += 1
                hits[stage["name"]] += bool(stage["cache_hit"])
            if row.state in ("failed", "infeasible"):
                reasons[row.state, (row.reason or "no reason was recorded")[:_REASON_CHARACTERS]] += 1
        return HealthRow(
            trials_waiting=waiting,
            trials_running=running,
            messages_waiting=int(messages),
            trials_looked_at=sum(row.result is not None for row in rows),
            stored_answers=sum(row.cached_from is not None for row in rows),
            stages={name: (hits[name], count) for name, count in runs.items()},
            reasons=[ReasonRow(*key, count) for key, count in reasons.most_common(_REASONS)],
        )


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(tables.trials).where(which)).scalar_one())
