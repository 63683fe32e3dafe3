"""indexes that SQLite chooses by itself: of what is finished, due, open, new or runs in a workspace."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FINISHED = sa.text("finished_at IS NOT NULL")
OF_HYPOTHESES = (("next_nudge_at",), ("ended_at", "number"), ("filed_at",))


def _name(columns: tuple[str, ...]) -> str:
    return str(op.f("_".join(("ix_hypotheses_workspace", *columns))))


def _set_collation(collation: str) -> None:
    """On PostgreSQL: SQLite compares bytes anyway."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("posts", "subject", type_=sa.String(80, collation=collation))


def upgrade() -> None:
    _set_collation("C")
    op.create_index(
        "ix_outbox_finished",
        "outbox",
        ["state", "finished_at"],
        postgresql_where=FINISHED,
        sqlite_where=FINISHED,
    )
    op.drop_index(op.f("ix_outbox_state_finished_at"), "outbox")
    for columns in OF_HYPOTHESES:
        op.create_index(_name(columns), "hypotheses", ["workspace", *columns])
    op.create_index(op.f("ix_experiments_state_workspace"), "experiments", ["state", "workspace"])


def downgrade() -> None:
    _set_collation("default")
    op.drop_index(op.f("ix_experiments_state_workspace"), "experiments")
    for columns in OF_HYPOTHESES:
        op.drop_index(_name(columns), "hypotheses")
    op.create_index(op.f("ix_outbox_state_finished_at"), "outbox", ["state", "finished_at"])
    op.drop_index("ix_outbox_finished", "outbox")
