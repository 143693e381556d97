"""The time that a job was worked on is counted, not computed from a wall clock; SQLite's boots."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Of a job that runs, the newest event is the last that is known of it.
_SPENT = """
UPDATE jobs SET worked_seconds = coalesce(finished_at, paused_at,
    (SELECT max(created_at) FROM events WHERE events.job_id = jobs.id), started_at) - started_at - paused_seconds
WHERE started_at IS NOT NULL
"""
_PAUSED = """
UPDATE jobs SET paused_seconds = coalesce(finished_at, :now) - started_at - worked_seconds,
    paused_at = CASE WHEN state = 'paused' THEN :now END
WHERE started_at IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "boots",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("zero", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boots")),
    )
    op.add_column("jobs", sa.Column("worked_seconds", sa.Double(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("worked_since", sa.Double(), nullable=True))
    op.execute(_SPENT)
    op.execute("UPDATE jobs SET worked_seconds = 0 WHERE worked_seconds < 0")
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("worked_seconds", server_default=None)
        jobs.drop_column("paused_at")
        jobs.drop_column("paused_seconds")


def downgrade() -> None:
    op.add_column("jobs", sa.Column("paused_at", sa.Double(), nullable=True))
    op.add_column("jobs", sa.Column("paused_seconds", sa.Double(), nullable=False, server_default="0"))
    op.get_bind().execute(sa.text(_PAUSED), {"now": time.time()})
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("paused_seconds", server_default=None)
        jobs.drop_column("worked_since")
        jobs.drop_column("worked_seconds")
    op.drop_table("boots")
