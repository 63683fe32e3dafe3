"""looks: what their reads left out, so that a result can say it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "looks", sa.Column("left_out", sa.JSON(), nullable=True, comment="rows that lacked something; empty for none")
    )


def downgrade() -> None:
    with op.batch_alter_table("looks") as batch:
        batch.drop_column("left_out")
