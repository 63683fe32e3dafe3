"""looks: what the data were found to be, so that data that contradict it later are refused."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "looks",
        sa.Column(
            "findings",
            sa.JSON(),
            nullable=True,
            comment="what the data were found to be; empty if that was known before",
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("looks") as batch:
        batch.drop_column("findings")
