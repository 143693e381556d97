"""A job keeps a short history of its hypervolume, and a progress event says after how many trials it was written.

Both are read from the events of older jobs: a trial that ended left its event before that of the progress it made.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Point = dict[str, float]

_DONE = ("complete", "infeasible", "failed")
_POINTS = 60
_COLUMN = "history"

_jobs = sa.table("jobs", sa.column("id"), sa.column("started_at"), sa.column(_COLUMN, sa.JSON))
_events = sa.table(
    "events", sa.column("job_id"), sa.column("seq"), sa.column("type"), sa.column("created_at"),
    sa.column("data", sa.JSON),
)  # fmt: skip


def upgrade() -> None:
    op.add_column("jobs", sa.Column(_COLUMN, sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column(_COLUMN, server_default=None)
    connection = op.get_bind()
    for job_id, started in connection.execute(sa.select(_jobs.c.id, _jobs.c.started_at)).all():
        history = _read(connection, job_id, started)
        while len(history) > _POINTS:
            history = history[:-1:2] + history[-1:]
        connection.execute(_jobs.update().where(_jobs.c.id == job_id).values(history=history))


def downgrade() -> None:
    connection = op.get_bind()
    for (job_id,) in connection.execute(sa.select(_jobs.c.id)).all():
        for event in _log(connection, job_id):
            if event.type == "progress":
                rest = {name: value for name, value in event.data.items() if name != "trials_done"}
                _rewrite(connection, event, rest)
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column(_COLUMN)


def _read(connection: sa.Connection, job_id: str, started: float | None) -> list[Point]:
    """The history that a job's events tell; each progress event also learns its number of trials."""
    done: set[int] = set()
    history: list[Point] = []
    for event in _log(connection, job_id):
        if event.type == "trial" and event.data["state"] in _DONE:
            done.add(event.data["number"])
        elif event.type == "progress":
            _rewrite(connection, event, {**event.data, "trials_done": len(done)})
            volume = event.data["hypervolume"]
            if volume is not None and started is not None:
                seconds = max(0.0, event.created_at - started)
                history.append({"trials": len(done), "seconds": seconds, "hypervolume": volume})
    return history


def _log(connection: sa.Connection, job_id: str) -> list[Any]:
    wanted = sa.select(_events).where(_events.c.job_id == job_id, _events.c.type.in_(("trial", "progress")))
    return list(connection.execute(wanted.order_by(_events.c.seq)).all())


def _rewrite(connection: sa.Connection, event: Any, data: dict[str, Any]) -> None:
    place = (_events.c.job_id == event.job_id, _events.c.seq == event.seq)
    connection.execute(_events.update().where(*place).values(data=data))
