"""Needs over all hypotheses; each is saved with its own."""

from dataclasses import dataclass

from sqlalchemy import select

from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.domain.ids import HypothesisNumber, WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNeed:
    """A missing component, and where it was found."""

    hypothesis: HypothesisNumber
    summary: str


def list_all(tx: Transaction, workspace: WorkspaceId) -> list[FoundNeed]:
    """Return every need of a workspace, oldest first."""
    column = schema.needs.c
    query = select(column.hypothesis, column.summary).where(column.workspace == workspace)
    rows = tx.execute(query.order_by(column.found_at, column.hypothesis, column.position))
    return [FoundNeed(hypothesis=HypothesisNumber(number), summary=summary) for number, summary in rows]
