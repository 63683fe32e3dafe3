"""What search and "have we tried this?" compare: the words of every hypothesis, read without anything else of it."""

from dataclasses import dataclass

from sqlalchemy import JSON, func, select, type_coerce

from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import Stage


def state_of_all(tx: Transaction, workspace: WorkspaceId) -> tuple[int, int]:
    """Return two numbers of which one grows with every change of any hypothesis of the workspace."""
    column = schema.hypotheses.c
    query = select(func.count(), func.coalesce(func.sum(column.version), 0)).where(column.workspace == workspace)
    count, versions = tx.execute(query).one()
    return int(count), int(versions)


@dataclass(frozen=True, slots=True)
class Words:
    """What a hypothesis is about. claim: change and reason. text: everything in it that people may look for."""

    change: str
    stage: Stage
    claim: str
    text: str


def words_of_all(tx: Transaction, workspace: WorkspaceId) -> dict[HypothesisNumber, Words]:
    """Return the words of every hypothesis of the workspace."""
    column = schema.hypotheses.c
    ending = type_coerce(column.ending, JSON)  # plain: only its learning is read, and there may be thousands
    query = select(column.number, column.change, column.stage, column.metric, column.because, column.tags, ending)
    rows = tx.execute(query.where(column.workspace == workspace))
    return {
        HypothesisNumber(number): Words(
            change,
            stage,
            f"{change} {because}",
            " ".join((change, metric, because, *tags, ended["learning"] if ended else "")),
        )
        for number, change, stage, metric, because, tags, ended in rows
    }
