"""Followers: people who want to hear what becomes of a hypothesis that is not theirs."""

from sqlalchemy import delete, select

from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.db.workspaces import add_once
from labcoat.domain.ids import HypothesisNumber, UserId, WorkspaceId


def add(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, person: UserId) -> bool:
    """Let a person follow a hypothesis; return False if they do already."""
    if person in list_of(tx, workspace, number):
        return False
    add_once(tx, schema.followers, {"workspace": workspace, "hypothesis": number, "person": person})
    return True


def remove(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, person: UserId) -> None:
    """Let a person follow a hypothesis no more."""
    column = schema.followers.c
    mine = (column.workspace == workspace) & (column.hypothesis == number) & (column.person == person)
    tx.execute(delete(schema.followers).where(mine))


def list_of(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> list[UserId]:
    """Return who follows a hypothesis."""
    column = schema.followers.c
    query = select(column.person).where(column.workspace == workspace, column.hypothesis == number)
    return [UserId(person) for person in tx.execute(query.order_by(column.person)).scalars()]
