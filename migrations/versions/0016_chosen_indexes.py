"""indexes that SQLite chooses by itself: of what is finished, of what is due in a workspace, of what runs."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FINISHED = sa.text("finished_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_outbox_finished",
        "outbox",
        ["state", "finished_at"],
        postgresql_where=FINISHED,
        sqlite_where=FINISHED,
    )
    op.drop_index(op.f("ix_outbox_state_finished_at"), "outbox")
    op.create_index(op.f("ix_hypotheses_workspace_next_nudge_at"), "hypotheses", ["workspace", "next_nudge_at"])
    op.create_index(op.f("ix_experiments_state_workspace"), "experiments", ["state", "workspace"])


def downgrade() -> None:
    op.drop_index(op.f("ix_experiments_state_workspace"), "experiments")
    op.drop_index(op.f("ix_hypotheses_workspace_next_nudge_at"), "hypotheses")
    op.create_index(op.f("ix_outbox_state_finished_at"), "outbox", ["state", "finished_at"])
    op.drop_index("ix_outbox_finished", "outbox")
