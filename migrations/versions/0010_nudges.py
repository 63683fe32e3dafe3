"""when each hypothesis is asked about next, nudges that turn into words, their days, snoozes, and what was found."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, comment in (
        ("changed_at", "of the newest step"),
        ("next_nudge_at", "business time; empty when nothing can stall"),
    ):
        op.add_column("hypotheses", sa.Column(name, sa.DateTime(timezone=True), nullable=True, comment=comment))
    op.add_column(
        "hypotheses",
        sa.Column(
            "touched",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="grows with what may stall it",
        ),
    )
    op.create_index(op.f("ix_hypotheses_next_nudge_at"), "hypotheses", ["next_nudge_at"])
    op.execute(
        "UPDATE hypotheses SET changed_at = coalesce((SELECT max(history.at) FROM history WHERE "
        "history.workspace = hypotheses.workspace AND history.hypothesis = hypotheses.number), filed_at)"
    )
    op.execute("UPDATE hypotheses SET next_nudge_at = filed_at WHERE ended_at IS NULL")
    op.add_column("nudges", sa.Column("hypothesis", sa.Integer(), nullable=True))
    op.add_column(
        "nudges",
        sa.Column(
            "subject",
            sa.String(length=80),
            nullable=True,
            comment="of the message it is in; empty for what was told elsewhere",
        ),
    )
    op.add_column("nudges", sa.Column("nudge", sa.JSON(none_as_null=True), nullable=True))
    op.add_column(
        "nudges",
        sa.Column("entry", sa.Integer(), nullable=True, comment="of the history: the change that ended it"),
    )
    op.add_column("nudges", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_nudges_workspace_subject"), "nudges", ["workspace", "subject"])
    op.create_index("ix_nudges_open", "nudges", ["workspace", "hypothesis", "entry"])
    op.create_table(
        "nudge_days",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="where the person is"),
        sa.Column("week", sa.Date(), nullable=False, comment="its Monday"),
        sa.Column("position", sa.Integer(), nullable=False, comment="1, 2, ... within the week"),
        sa.PrimaryKeyConstraint("workspace", "person", "day", name=op.f("pk_nudge_days")),
        sa.UniqueConstraint(
            "workspace", "person", "week", "position", name=op.f("uq_nudge_days_workspace_person_week_position")
        ),
    )
    op.create_table(
        "snoozes",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("hypothesis", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "hypothesis", "person", name=op.f("pk_snoozes")),
    )
    op.create_table(
        "stalls",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("hypothesis", sa.Integer(), nullable=False),
        sa.Column("case", sa.String(length=40), nullable=False),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was found, where nothing else dates it",
        ),
        sa.PrimaryKeyConstraint("workspace", "hypothesis", "case", name=op.f("pk_stalls")),
    )


def downgrade() -> None:
    for table in ("stalls", "snoozes", "nudge_days"):
        op.drop_table(table)
    op.drop_index("ix_nudges_open", table_name="nudges")
    op.drop_index(op.f("ix_nudges_workspace_subject"), table_name="nudges")
    for name in ("snoozed_until", "entry", "nudge", "subject", "hypothesis"):
        op.drop_column("nudges", name)
    op.drop_index(op.f("ix_hypotheses_next_nudge_at"), table_name="hypotheses")
    for name in ("touched", "next_nudge_at", "changed_at"):
        op.drop_column("hypotheses", name)
