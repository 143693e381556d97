"""Why a job ended; what is known of jobs that ended before is filled in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("end_reason", sa.String(length=32), nullable=True))
    connection = op.get_bind()
    ended = sa.text(
        "SELECT id, state, failure, trials_total FROM jobs"
        " WHERE state IN ('succeeded', 'failed', 'cancelled') AND deleted_at IS NULL"
    ).columns(failure=sa.JSON)
    for job in connection.execute(ended).mappings().all():
        connection.execute(
            sa.text("UPDATE jobs SET end_reason = :reason WHERE id = :id"),
            {"id": job["id"], "reason": _reason(connection, job)},
        )


def downgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("end_reason")


def _reason(connection: sa.Connection, job: sa.RowMapping) -> str:
    if job["state"] == "cancelled":
        return "cancelled"
    if job["state"] == "failed":
        # A search that raised is the only other way to fail that there was.
        return "evaluations_failed" if job["failure"]["code"] == "evaluations-failed" else "search_failed"
    done = "state IN ('complete', 'infeasible', 'failed')"
    if _count(connection, f"SELECT count(*) FROM trials WHERE job_id = :id AND {done}", job) >= job["trials_total"]:
        return "budget_trials"
    events = sa.text("SELECT data FROM events WHERE job_id = :id AND type = 'job'").columns(data=sa.JSON)
    if any(data["state"] == "stopping" for data in connection.execute(events, {"id": job["id"]}).scalars()):
        return "stopped"
    dropped = "state = 'cancelled' AND reason = 'the job''s wall-clock budget was used up'"
    over = "finished_at - started_at - paused_seconds >= wall_seconds"
    if _count(connection, f"SELECT count(*) FROM trials WHERE job_id = :id AND {dropped}", job) or _count(
        connection, f"SELECT count(*) FROM jobs WHERE id = :id AND {over}", job
    ):
        return "budget_seconds"
    return "space_exhausted"


def _count(connection: sa.Connection, query: str, job: sa.RowMapping) -> int:
    return int(connection.execute(sa.text(query), {"id": job["id"]}).scalar_one())
