"""tokens for results sent over HTTP, and totals that a program sent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("workspace", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "hashed",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the secret, which is stored nowhere",
        ),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True, comment="to the hour"),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_workspace"), "tokens", ["workspace"])
    op.create_table(
        "api_answers",
        sa.Column("token", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True, comment="empty only within the transaction that answers"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, comment="machine time"),
        sa.PrimaryKeyConstraint("token", "key", name=op.f("pk_api_answers")),
    )
    op.create_index(op.f("ix_api_answers_received_at"), "api_answers", ["received_at"])
    # SQLite can't drop NOT NULL but by copying the table, which is safe here: no other table refers to it.
    with op.batch_alter_table("entries") as entries:
        entries.add_column(
            sa.Column("program", sa.String(length=80), nullable=True, comment="what sent them where no person did")
        )
        entries.alter_column("sent_by", existing_type=sa.String(length=40), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM entries WHERE sent_by IS NULL")
    with op.batch_alter_table("entries") as entries:
        entries.alter_column("sent_by", existing_type=sa.String(length=40), nullable=False)
        entries.drop_column("program")
    op.drop_table("api_answers")
    op.drop_table("tokens")
