"""when people were told that a draft seems to be live."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unit_counts", sa.Column("told_live_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("unit_counts", "told_live_at")
