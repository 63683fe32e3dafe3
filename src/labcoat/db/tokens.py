"""Tokens: found by their id; their secrets are nowhere."""

from datetime import datetime

from sqlalchemy import insert, select, update

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables import schema
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.token import Token


def add(tx: Transaction, token: Token) -> None:
    """Store a new token."""
    tx.execute(insert(schema.tokens).values(to_row(token, schema.tokens)))


def find(tx: Transaction, token_id: str) -> Token | None:
    """Return the token of that id in any workspace, also one that is revoked."""
    row = tx.execute(select(schema.tokens).where(schema.tokens.c.id == token_id)).mappings().first()
    return None if row is None else from_row(Token, schema.tokens, row)


def list_of(tx: Transaction, workspace: WorkspaceId | None = None) -> list[Token]:
    """Return the tokens of a workspace, None for all, oldest first, with those that are revoked."""
    table = schema.tokens
    query = select(table).order_by(table.c.created_at, table.c.id)
    if workspace is not None:
        query = query.where(table.c.workspace == workspace)
    return [from_row(Token, table, row) for row in tx.execute(query).mappings()]


def revoke(tx: Transaction, token_id: str, *, at: datetime) -> bool:
    """Let a token work no more; return False if none of that id works."""
    column = schema.tokens.c
    one = update(schema.tokens).where(column.id == token_id, column.revoked_at.is_(None))
    return tx.execute(one.values(revoked_at=at)).rowcount == 1


def use(tx: Transaction, token_id: str, *, at: datetime) -> bool:
    """Remember that a token is used; return False if it was revoked meanwhile."""
    column = schema.tokens.c
    one = update(schema.tokens).where(column.id == token_id, column.revoked_at.is_(None))
    return tx.execute(one.values(last_used_at=at.replace(minute=0, second=0, microsecond=0))).rowcount == 1
