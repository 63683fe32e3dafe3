"""delivery: what is finished apart from what is not, and methods that Slack makes wait."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_UNFINISHED = sa.text("finished_at IS NULL")
_INDEXES = (
    ("target", ["workspace", "target", "id"]),
    ("next_try_at", ["next_try_at"]),
    ("subject", ["workspace", "subject"]),
)


def upgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.drop_index("ix_outbox_unfinished")
        batch.drop_index(op.f("ix_outbox_state_next_try_at"))
        batch.add_column(
            sa.Column(
                "target", sa.String(length=60), comment="whose notices are told in order: a channel, a person, a Home"
            )
        )
        batch.add_column(sa.Column("tried_since", _MOMENT, comment="a day later it is given up; set anew by a retry"))
        batch.add_column(sa.Column("finished_at", _MOMENT, comment="when it was sent or given up"))
        batch.add_column(
            sa.Column(
                "may_be_sent",
                sa.Boolean(),
                nullable=False,
                server_default=sa.false(),
                comment="an attempt may have reached Slack",
            )
        )
        batch.alter_column(
            "lost_leases", new_column_name="failures", existing_type=sa.Integer(), existing_nullable=False
        )
    op.execute("UPDATE outbox SET tried_since = created_at, target = coalesce(channel, person, '')")
    op.execute("UPDATE outbox SET target = 'home ' || person WHERE kind = 'home'")
    op.execute("UPDATE outbox SET finished_at = created_at WHERE state IN ('sent', 'dead')")
    op.execute("UPDATE outbox SET next_try_at = coalesce(lease_until, next_try_at) WHERE state = 'sending'")
    with op.batch_alter_table("outbox") as batch:
        batch.drop_column("lease_until")
        batch.alter_column("target", existing_type=sa.String(length=60), nullable=False)
        batch.alter_column("tried_since", existing_type=_MOMENT, nullable=False)
        batch.alter_column(
            "next_try_at", existing_type=_MOMENT, comment="when it may be claimed; while it is sent: by others"
        )
    for name, columns in _INDEXES:
        op.create_index(
            f"ix_outbox_unfinished_{name}", "outbox", columns, postgresql_where=_UNFINISHED, sqlite_where=_UNFINISHED
        )
    op.create_index(op.f("ix_outbox_state_finished_at"), "outbox", ["state", "finished_at"])
    op.create_table(
        "holds",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False, comment="of Slack's Web API"),
        sa.Column("until", _MOMENT, nullable=False, comment="as Retry-After said"),
        sa.PrimaryKeyConstraint("workspace", "method", name=op.f("pk_holds")),
    )


def downgrade() -> None:
    op.drop_table("holds")
    op.drop_index(op.f("ix_outbox_state_finished_at"), "outbox")
    for name, _ in _INDEXES:
        op.drop_index(f"ix_outbox_unfinished_{name}", "outbox")
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("lease_until", _MOMENT))
        batch.alter_column(
            "failures", new_column_name="lost_leases", existing_type=sa.Integer(), existing_nullable=False
        )
        for name in ("target", "tried_since", "finished_at", "may_be_sent"):
            batch.drop_column(name)
        batch.alter_column("next_try_at", existing_type=_MOMENT, comment=None)
    with op.batch_alter_table("outbox") as batch:
        batch.create_index(op.f("ix_outbox_state_next_try_at"), ["state", "next_try_at"])
        batch.create_index("ix_outbox_unfinished", ["workspace", "channel", "person", "id", "state"])
