"""corrections: since when the totals that an entry replaces were wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "entries",
        sa.Column(
            "wrong_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of a correction: from when on earlier totals of the metric count no more",
        ),
    )


def downgrade() -> None:
    op.drop_column("entries", "wrong_since")
