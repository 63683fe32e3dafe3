"""metric_baselines: what metrics were lately, for the plan form; baseline_reads: who measures them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metric_baselines",
        sa.Column("workspace", sa.String(40), nullable=False),
        sa.Column("metric", sa.String(80), nullable=False),
        sa.Column(
            "definition", sa.String(40), nullable=False, comment="a hash; of another one the numbers say nothing"
        ),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True, comment="why the last try gave no numbers"),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=True),
        sa.Column("units_per_day", sa.Float(), nullable=True),
        sa.Column("mean", sa.Float(), nullable=True),
        sa.Column("deviation", sa.Float(), nullable=True),
        sa.Column(
            "variance_reduction", sa.Float(), nullable=True, comment="CUPED's gain, 0-1; empty without covariate"
        ),
        sa.Column("trial_days", sa.Float(), nullable=True, comment="of a pre-period that was only tried"),
        sa.PrimaryKeyConstraint("workspace", "metric", name=op.f("pk_metric_baselines")),
    )
    op.create_table(
        "baseline_reads",
        sa.Column("workspace", sa.String(40), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column(
            "reading_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="machine time; whoever measures a source holds it until then",
        ),
        sa.PrimaryKeyConstraint("workspace", "source", name=op.f("pk_baseline_reads")),
    )


def downgrade() -> None:
    op.drop_table("baseline_reads")
    op.drop_table("metric_baselines")
