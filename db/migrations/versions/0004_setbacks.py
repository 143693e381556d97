"""Attempts that an outage ended are counted apart, and retried at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trials", sa.Column("setbacks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("trials", sa.Column("retry_at", sa.Double(), nullable=True))
    op.create_index("ix_trials_retries", "trials", ["retry_at"])
    with op.batch_alter_table("trials") as trials:
        trials.alter_column("setbacks", server_default=None)


def downgrade() -> None:
    op.drop_index("ix_trials_retries", table_name="trials")
    with op.batch_alter_table("trials") as trials:
        trials.drop_column("retry_at")
        trials.drop_column("setbacks")
