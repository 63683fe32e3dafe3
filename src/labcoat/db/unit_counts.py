"""Counts of units between looks, and the lease by which one process at a time reads an experiment's numbers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.db.tables import schema
from labcoat.db.tables.schema import unit_counts
from labcoat.domain.counting import UnitCounts
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState

_COUNTED = select(unit_counts).where(
    unit_counts.c.workspace == bindparam("workspace"),
    unit_counts.c.experiment == bindparam("experiment"),
    unit_counts.c.as_of.is_not(None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCount:
    """An experiment whose units are to be counted."""

    workspace: WorkspaceId
    hypothesis: HypothesisNumber
    number: ExperimentNumber


def due(tx: Transaction, *, now: datetime) -> list[DueCount]:
    """Return, over all workspaces, the running experiments whose units are to be counted.

    Only those with a look to come are read from a warehouse at all.
    """
    table, mine = schema.experiments, unit_counts.c
    here = (mine.workspace == table.c.workspace) & (mine.experiment == table.c.number)
    query = (
        select(table.c.workspace, table.c.hypothesis, table.c.number)
        .outerjoin(unit_counts, here)
        .where(table.c.state == ExperimentState.RUNNING, table.c.next_look_at.is_not(None))
        .where(or_(mine.next_at.is_(None), mine.next_at <= now))
        .order_by(mine.next_at)
    )
    return [_due(*row) for row in tx.execute(query)]


def due_drafts(tx: Transaction, *, now: datetime) -> list[DueCount]:
    """Return, over all workspaces, the drafts whose exposures are to be looked for, and that nobody was told of."""
    table, mine = schema.experiments, unit_counts.c
    here = (mine.workspace == table.c.workspace) & (mine.experiment == table.c.number)
    query = (
        select(table.c.workspace, table.c.hypothesis, table.c.number)
        .outerjoin(unit_counts, here)
        .where(table.c.state == ExperimentState.DRAFT, mine.told_live_at.is_(None))
        .where(or_(mine.next_at.is_(None), mine.next_at <= now))
    )
    return [_due(*row) for row in tx.execute(query)]


def remember_told_live(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, *, at: datetime) -> None:
    """Remember that people were told that a draft seems to be live."""
    column = unit_counts.c
    mine = update(unit_counts).where(column.workspace == workspace, column.experiment == number)
    tx.execute(mine.values(told_live_at=at))


def _due(workspace: str, hypothesis: int, number: int) -> DueCount:
    return DueCount(
        workspace=WorkspaceId(workspace), hypothesis=HypothesisNumber(hypothesis), number=ExperimentNumber(number)
    )


def claim(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, *, at: datetime, until: datetime) -> bool:
    """Take the right to read an experiment's numbers; return False if another process reads them now. Machine time."""
    _ensure(tx, workspace, number)
    column = unit_counts.c
    mine = update(unit_counts).where(column.workspace == workspace, column.experiment == number)
    free = mine.where(or_(column.reading_until.is_(None), column.reading_until <= at))
    return tx.execute(free.values(reading_until=until)).rowcount == 1


def release(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> None:
    """Let others read an experiment's numbers again."""
    column = unit_counts.c
    mine = update(unit_counts).where(column.workspace == workspace, column.experiment == number)
    tx.execute(mine.values(reading_until=None))


def record(tx: Transaction, workspace: WorkspaceId, counts: UnitCounts, *, next_at: datetime | None) -> None:
    """Store a count over the one before it, and when the next is due."""
    _ensure(tx, workspace, counts.experiment)
    column = unit_counts.c
    mine = update(unit_counts).where(column.workspace == workspace, column.experiment == counts.experiment)
    values = {"as_of": counts.as_of, "exposed": counts.exposed, "split": counts.split}
    tx.execute(mine.values(**values) if next_at is None else mine.values(**values, next_at=next_at))


def forget(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> None:
    """Forget the newest count, whose evidence is of other units or arms than the next ones; that is due at once."""
    column = unit_counts.c
    mine = update(unit_counts).where(column.workspace == workspace, column.experiment == number)
    tx.execute(mine.values(as_of=None, exposed=None, split=None, next_at=None))


def put_off(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, *, until: datetime) -> None:
    """Count an experiment's units no earlier than that."""
    _ensure(tx, workspace, number)
    column = unit_counts.c
    mine = update(unit_counts).where(column.workspace == workspace, column.experiment == number)
    tx.execute(mine.values(next_at=until))


def find(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> UnitCounts | None:
    """Return the newest count of an experiment's units, None before the first."""
    row = tx.execute(_COUNTED, {"workspace": workspace, "experiment": number}).mappings().first()
    return None if row is None else from_row(UnitCounts, unit_counts, row)


def _ensure(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> None:
    column = unit_counts.c
    there = select(column.experiment).where(column.workspace == workspace, column.experiment == number)
    if tx.execute(there).first() is None:
        try:
            with tx.begin_nested():
                tx.execute(insert(unit_counts).values(workspace=workspace, experiment=number))
        except IntegrityError:
            return  # another process made it just now
