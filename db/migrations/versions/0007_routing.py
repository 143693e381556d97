"""Front designs may be placed and routed: the state of that and what came out, beside sign-off."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trials", sa.Column("routing", sa.String(length=16), nullable=True))
    op.add_column("trials", sa.Column("routing_result", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("trials") as trials:
        trials.drop_column("routing_result")
        trials.drop_column("routing")
