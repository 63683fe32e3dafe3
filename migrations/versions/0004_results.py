"""unit counts, and what a look was read by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unit_counts",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True, comment="business time of the next count"),
        sa.Column(
            "reading_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="machine time; whoever reads its numbers holds it until then",
        ),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exposed", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("split", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "experiment", name=op.f("pk_unit_counts")),
    )
    op.add_column("looks", sa.Column("crossed", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("looks", sa.Column("definitions", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("source_problems", sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("1")))
    for flag in ("is_of_count", "is_owner_told"):
        op.add_column("source_problems", sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table, column in (
        ("source_problems", "is_owner_told"),
        ("source_problems", "is_of_count"),
        ("source_problems", "attempts"),
        ("looks", "definitions"),
        ("looks", "crossed"),
    ):
        op.drop_column(table, column)
    op.drop_table("unit_counts")
