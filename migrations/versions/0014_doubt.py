"""delivery: when an attempt may have reached Slack, and how far a look-up has come."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("doubt_since", _MOMENT, comment="an attempt may have reached Slack from then"))
    op.add_column("outbox", sa.Column("doubt_until", _MOMENT, comment="and until then; empty: until now"))
    op.add_column("outbox", sa.Column("doubt_cursor", sa.Text(), comment="Slack's, of a look-up that had to stop"))
    op.execute("UPDATE outbox SET doubt_since = created_at WHERE attempts > 0 AND state <> 'sent'")


def downgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        for name in ("doubt_since", "doubt_until", "doubt_cursor"):
            batch.drop_column(name)
