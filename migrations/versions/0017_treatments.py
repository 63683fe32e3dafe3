"""verdicts by treatment: what a request is about, treatments that were dropped, causes that were fixed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("dropped", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("experiments", sa.Column("fixed_cause", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("requests", sa.Column("treatment", sa.String(length=60), nullable=True))


def downgrade() -> None:
    op.drop_column("requests", "treatment")
    op.drop_column("experiments", "fixed_cause")
    op.drop_column("experiments", "dropped")
