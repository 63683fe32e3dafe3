"""channels that have a digest."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_channels",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("first_filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newest_monday", sa.Date(), nullable=True, comment="of its newest digest; empty before the first"),
        sa.PrimaryKeyConstraint("workspace", "channel", name=op.f("pk_digest_channels")),
    )
    op.create_index(op.f("ix_digest_channels_newest_monday"), "digest_channels", ["newest_monday"])
    op.execute(
        """
        INSERT INTO digest_channels (workspace, channel, first_filed_at, newest_monday)
        SELECT h.workspace, h.channel, MIN(h.filed_at),
            (SELECT MAX(d.monday) FROM digests AS d WHERE d.workspace = h.workspace AND d.channel = h.channel)
        FROM hypotheses AS h GROUP BY h.workspace, h.channel
        """
    )


def downgrade() -> None:
    op.drop_table("digest_channels")
