"""Looks that wait for their data: one of an experiment at a time, read back by every replica."""

from sqlalchemy import delete, insert, select

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables import schema
from labcoat.domain.ids import ExperimentNumber, WorkspaceId
from labcoat.domain.late_data import Wait

_table = schema.waiting_looks


def put(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, wait: Wait) -> None:
    """Store what an experiment's look waits for, in place of what it waited for before."""
    clear(tx, workspace, number)
    tx.execute(insert(_table).values(workspace=workspace, experiment=number, **to_row(wait, _table)))


def find(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Wait | None:
    """Return what an experiment's look waits for, None if none waits or no look is to come."""
    theirs = schema.experiments.c
    here = (theirs.workspace == _table.c.workspace) & (theirs.number == _table.c.experiment)
    query = (
        select(_table)
        .join(schema.experiments, here)
        .where(_table.c.workspace == workspace, _table.c.experiment == number, theirs.next_look_at.is_not(None))
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else from_row(Wait, _table, row)


def clear(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Forget that a look of this experiment waits; return whether one did."""
    gone = delete(_table).where(_table.c.workspace == workspace, _table.c.experiment == number)
    return tx.execute(gone).rowcount > 0
