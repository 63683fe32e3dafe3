"""indexes that SQLite chooses by itself: of what is finished, due, open, new or runs in a workspace."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FINISHED = sa.text("finished_at IS NOT NULL")
OF_HYPOTHESES = ("next_nudge_at", "ended_at", "filed_at")


def upgrade() -> None:
    op.create_index(
        "ix_outbox_finished",
        "outbox",
        ["state", "finished_at"],
        postgresql_where=FINISHED,
        sqlite_where=FINISHED,
    )
    op.drop_index(op.f("ix_outbox_state_finished_at"), "outbox")
    for column in OF_HYPOTHESES:
        op.create_index(op.f(f"ix_hypotheses_workspace_{column}"), "hypotheses", ["workspace", column])
    op.create_index(op.f("ix_experiments_state_workspace"), "experiments", ["state", "workspace"])


def downgrade() -> None:
    op.drop_index(op.f("ix_experiments_state_workspace"), "experiments")
    for column in OF_HYPOTHESES:
        op.drop_index(op.f(f"ix_hypotheses_workspace_{column}"), "hypotheses")
    op.create_index(op.f("ix_outbox_state_finished_at"), "outbox", ["state", "finished_at"])
    op.drop_index("ix_outbox_finished", "outbox")
