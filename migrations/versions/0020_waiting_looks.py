"""looks that wait for their data: what they wait for and until when, and what was missing when one was made."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "looks",
        sa.Column("short", sa.JSON(), nullable=True, comment="sources whose data ended too early; empty for none"),
    )
    op.create_table(
        "waiting_looks",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False, comment="of the first look that waited"),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="business time; then it is made with what there is",
        ),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("short", sa.JSON(none_as_null=True), nullable=False, comment="the sources that it waits for"),
        sa.PrimaryKeyConstraint("workspace", "experiment", name=op.f("pk_waiting_looks")),
    )


def downgrade() -> None:
    op.drop_table("waiting_looks")
    with op.batch_alter_table("looks") as batch:
        batch.drop_column("short")
