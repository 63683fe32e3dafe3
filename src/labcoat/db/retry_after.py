"""Methods of Slack that nobody may call before a moment, as Slack said with Retry-After; shared by all replicas."""

from datetime import datetime

from sqlalchemy import select, update

from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.db.workspaces import add_once
from labcoat.domain.ids import WorkspaceId


def hold(tx: Transaction, workspace: WorkspaceId, method: str, *, until: datetime) -> None:
    """Let nobody call a method in a workspace before that; an end that is later already stays. Machine time."""
    table = schema.holds
    if find(tx, workspace, method) is None:
        add_once(tx, table, {"workspace": workspace, "method": method, "until": until})
    mine = (table.c.workspace == workspace) & (table.c.method == method)
    tx.execute(update(table).where(mine, table.c.until < until).values(until=until))


def find(tx: Transaction, workspace: WorkspaceId, method: str) -> datetime | None:
    """Return when a method may be called again, which may be past; None if it never had to wait."""
    column = schema.holds.c
    query = select(column.until).where(column.workspace == workspace, column.method == method)
    return tx.execute(query).scalar_one_or_none()
