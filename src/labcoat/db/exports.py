"""Everything of a workspace, a batch at a time, so that an export of any size takes the same memory."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from sqlalchemy import select

from labcoat.db import dossiers
from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.db.tables import schema
from labcoat.domain.dossier import Dossier
from labcoat.domain.history import HistoryEntry
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.look import Look

BATCH = 50


def batches(tx: Transaction, workspace: WorkspaceId) -> Iterator[list[Dossier]]:
    """Return all hypotheses with what belongs to them, oldest first, some at a time."""
    column, last = schema.hypotheses.c, 0
    while True:
        query = select(column.number).where(column.workspace == workspace, column.number > last)
        numbers = [HypothesisNumber(one) for one in tx.execute(query.order_by(column.number).limit(BATCH)).scalars()]
        if not numbers:
            return
        yield dossiers.read_many(tx, workspace, numbers)
        last = numbers[-1]


def reasons(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[HypothesisNumber]
) -> dict[HypothesisNumber, list[HistoryEntry]]:
    """Return the history entries of these hypotheses that have a reason, oldest first."""
    table = schema.history
    query = select(table).where(
        table.c.workspace == workspace, table.c.hypothesis.in_(numbers), table.c.reason.is_not(None)
    )
    found: dict[HypothesisNumber, list[HistoryEntry]] = defaultdict(list)
    for row in tx.execute(query.order_by(table.c.id)).mappings():
        found[row["hypothesis"]].append(from_row(HistoryEntry, table, row))
    return found


def looks_of(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Iterator[Look]:
    """Return every look of an experiment, oldest first: also those without a readout, and those that are superseded."""
    table = schema.looks
    query = select(table).where(table.c.workspace == workspace, table.c.experiment == number)
    for row in tx.execute(query.order_by(table.c.slot)).mappings():
        yield from_row(Look, table, row)
