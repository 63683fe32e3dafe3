"""History read back; it is written by `dossiers.save` only, and never changed."""

from sqlalchemy import select

from labcoat.db import tables
from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.domain.history import HistoryEntry
from labcoat.domain.ids import HypothesisNumber, WorkspaceId


def get(tx: Transaction, workspace: WorkspaceId, entry_id: int) -> HistoryEntry:
    """Return one entry of this workspace; raise NoResultFound if there is none."""
    table = tables.history
    query = select(table).where(table.c.workspace == workspace, table.c.id == entry_id)
    return from_row(HistoryEntry, table, tx.execute(query).mappings().one())


def list_of(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> list[HistoryEntry]:
    """Return all entries of a hypothesis, oldest first."""
    table = tables.history
    query = select(table).where(table.c.workspace == workspace, table.c.hypothesis == number).order_by(table.c.id)
    return [from_row(HistoryEntry, table, row) for row in tx.execute(query).mappings()]
