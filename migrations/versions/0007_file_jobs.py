"""work on files."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False, comment="jobs of one subject are done in order"),
        sa.Column("task", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="machine time, as the next two"),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("totals", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_jobs")),
    )
    op.create_index(op.f("ix_file_jobs_state_next_try_at"), "file_jobs", ["state", "next_try_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_file_jobs_state_next_try_at"), table_name="file_jobs")
    op.drop_table("file_jobs")
