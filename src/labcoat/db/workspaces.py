"""Workspaces: their running numbers, and who leads there."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId, WorkspaceId

_LEADS = select(schema.leads.c.person).where(schema.leads.c.workspace == bindparam("workspace")).order_by("person")
_LEADS_KEPT = _LEADS.with_for_update(read=True)


def next_hypothesis(tx: Transaction, workspace: WorkspaceId) -> HypothesisNumber:
    """Take the next number of a hypothesis; numbers have no gaps unless a transaction rolls back."""
    return HypothesisNumber(_next(tx, workspace, "last_hypothesis"))


def next_experiment(tx: Transaction, workspace: WorkspaceId) -> ExperimentNumber:
    """Take the next number of an experiment."""
    return ExperimentNumber(_next(tx, workspace, "last_experiment"))


def _next(tx: Transaction, workspace: WorkspaceId, column: str) -> int:
    table = schema.workspaces
    taking = (
        update(table).where(table.c.id == workspace).values({column: table.c[column] + 1}).returning(table.c[column])
    )
    taken = tx.execute(taking).scalar_one_or_none()
    if taken is None:
        add_once(tx, table, {"id": workspace})
        taken = tx.execute(taking).scalar_one()
    return int(taken)


def list_all(tx: Transaction) -> list[WorkspaceId]:
    """Return the workspaces that filed anything."""
    column = schema.workspaces.c
    return [WorkspaceId(found) for found in tx.execute(select(column.id).order_by(column.id)).scalars()]


def add_once(tx: Transaction, table: Table, row: Mapping[str, object]) -> None:
    """Insert a row, unless another replica did."""
    try:
        with tx.begin_nested():
            tx.execute(insert(table).values(row))
    except IntegrityError:  # another replica was first, which is as good
        return


def add_unless_there(tx: Transaction, table: Table, row: Mapping[str, object]) -> None:
    """Insert a row unless its key is there, by one statement; for what is nearly always there."""
    adding = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(table)
    tx.execute(adding.values(row).on_conflict_do_nothing())


def set_leads(tx: Transaction, workspace: WorkspaceId, people: Collection[UserId], *, from_settings: bool) -> None:
    """Make these the leads of the workspace that LABCOAT_LEADS names, or those that admins manage in Slack.

    The settings win: whom they name cannot be taken out in Slack.
    """
    table, wanted = schema.leads, set(people)
    known = set(leads(tx, workspace, from_settings=from_settings))
    if known - wanted:
        gone = table.c.person.in_(known - wanted) & table.c.is_from_settings.is_(from_settings)
        tx.execute(delete(table).where(table.c.workspace == workspace, gone))
    if from_settings:
        named = (table.c.workspace == workspace) & table.c.person.in_(wanted)
        tx.execute(update(table).where(named).values(is_from_settings=True))
    for person in sorted(wanted - set(leads(tx, workspace))):
        add_once(tx, table, {"workspace": workspace, "person": person, "is_from_settings": from_settings})


def leads(
    tx: Transaction, workspace: WorkspaceId, *, lock: bool = False, from_settings: bool | None = None
) -> list[UserId]:
    """Return everybody who leads here. lock: keep it so until the transaction ends (PostgreSQL; SQLite always does).

    from_settings: only those whom LABCOAT_LEADS names, or only those managed in Slack; None for all.
    """
    query = _LEADS_KEPT if lock else _LEADS
    if from_settings is not None:
        query = query.where(schema.leads.c.is_from_settings.is_(from_settings))
    return [UserId(person) for person in tx.execute(query, {"workspace": workspace}).scalars()]


def last_asked(tx: Transaction, workspace: WorkspaceId) -> dict[UserId, datetime]:
    """Return when each person was last asked for an approval."""
    column = schema.requests.c
    query = select(column.asked_of, column.asked_at).where(column.workspace == workspace).order_by(column.asked_at)
    return {UserId(person): at for person, at in tx.execute(query)}
