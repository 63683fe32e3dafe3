"""History read back; it is written by `dossiers.save` only, and never changed."""

from sqlalchemy import bindparam, func, select

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.db.tables import schema
from labcoat.domain.history import HistoryEntry
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import Step

_AFTER = (
    select(schema.history)
    .where(
        schema.history.c.workspace == bindparam("workspace"),
        schema.history.c.hypothesis == bindparam("hypothesis"),
        schema.history.c.id > bindparam("after"),
    )
    .order_by(schema.history.c.id)
)
_STEPS_AFTER = _AFTER.where(schema.history.c.step == bindparam("step"))


def get(tx: Transaction, workspace: WorkspaceId, entry_id: int) -> HistoryEntry:
    """Return one entry of this workspace; raise NoResultFound if there is none."""
    table = schema.history
    query = select(table).where(table.c.workspace == workspace, table.c.id == entry_id)
    return from_row(HistoryEntry, table, tx.execute(query).mappings().one())


def list_of(
    tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, *, after: int = 0, step: Step | None = None
) -> list[HistoryEntry]:
    """Return the entries of a hypothesis, oldest first. after: an entry's id. step: None for any."""
    asked = {"workspace": workspace, "hypothesis": number, "after": after, "step": step}
    found = tx.execute(_AFTER if step is None else _STEPS_AFTER, asked).mappings()
    return [from_row(HistoryEntry, schema.history, row) for row in found]


def newest_id(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> int:
    """Return the id of the newest entry of a hypothesis, 0 without any."""
    column = schema.history.c
    query = select(func.max(column.id)).where(column.workspace == workspace, column.hypothesis == number)
    return tx.execute(query).scalar_one() or 0
