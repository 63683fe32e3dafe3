"""people, channels, predictions, followers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _flag(name: str, *, default: sa.ColumnElement[bool], comment: str | None = None) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=default, comment=comment)


_ADDED: dict[str, tuple[sa.Column[Any], ...]] = {
    "leads": (_flag("is_from_settings", default=sa.true(), comment="of LABCOAT_LEADS"),),
    "people": (
        sa.Column("standing", sa.String(length=40), comment="empty until Slack was asked"),
        _flag("is_admin", default=sa.false()),
        sa.Column("checked_at", sa.DateTime(timezone=True), comment="machine time; when Slack was asked last"),
        sa.Column("away_until", sa.DateTime(timezone=True)),
        sa.Column("stand_in", sa.String(length=40)),
    ),
    "hypotheses": (
        sa.Column("deputy", sa.String(length=40)),
        sa.Column("different_because", sa.Text(), nullable=False, server_default=sa.text("''")),
        _flag("is_imported", default=sa.false()),
    ),
    "requests": (_flag("is_self_release", default=sa.false()),),
}


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", name=op.f("pk_channels")),
    )
    op.create_table(
        "predictions",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("experiment", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "experiment", "person", name=op.f("pk_predictions")),
    )
    op.create_table(
        "followers",
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("hypothesis", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "hypothesis"],
            ["hypotheses.workspace", "hypotheses.number"],
            name=op.f("fk_followers_hypotheses"),
        ),
        sa.PrimaryKeyConstraint("workspace", "hypothesis", "person", name=op.f("pk_followers")),
    )
    # Plain ALTER TABLE: batch mode would rebuild tables on SQLite, and dropping the old one takes its children.
    for table, columns in _ADDED.items():
        for one in columns:
            op.add_column(table, one._copy())


def downgrade() -> None:
    for table, columns in _ADDED.items():
        for one in columns:
            op.drop_column(table, one.name)
    op.drop_table("followers")
    op.drop_table("predictions")
    op.drop_table("channels")
