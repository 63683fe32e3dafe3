"""what of the last hour a digest told, so that the next one tells what was committed too late for it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "digests", sa.Column("told", sa.JSON(), comment="of the hour before it; empty before this was remembered")
    )


def downgrade() -> None:
    with op.batch_alter_table("digests") as batch:
        batch.drop_column("told")
