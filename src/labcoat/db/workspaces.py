"""Workspaces: their running numbers, their leads, and the zones of their people."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from labcoat.db import tables
from labcoat.db.database import Transaction
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId, WorkspaceId


def next_hypothesis(tx: Transaction, workspace: WorkspaceId) -> HypothesisNumber:
    """Take the next number of a hypothesis; numbers have no gaps unless a transaction rolls back."""
    return HypothesisNumber(_next(tx, workspace, "last_hypothesis"))


def next_experiment(tx: Transaction, workspace: WorkspaceId) -> ExperimentNumber:
    """Take the next number of an experiment."""
    return ExperimentNumber(_next(tx, workspace, "last_experiment"))


def _next(tx: Transaction, workspace: WorkspaceId, column: str) -> int:
    table = tables.workspaces
    taking = (
        update(table).where(table.c.id == workspace).values({column: table.c[column] + 1}).returning(table.c[column])
    )
    taken = tx.execute(taking).scalar_one_or_none()
    if taken is None:
        _add_once(tx, table, {"id": workspace})
        taken = tx.execute(taking).scalar_one()
    return int(taken)


def _add_once(tx: Transaction, table: Table, row: dict[str, str | None]) -> None:
    try:
        with tx.begin_nested():
            tx.execute(insert(table).values(row))
    except IntegrityError:  # another replica was first, which is as good
        return


def set_leads(tx: Transaction, workspace: WorkspaceId, people: Collection[UserId]) -> None:
    """Make these the leads of the workspace."""
    table, wanted, known = tables.leads, set(people), set(leads(tx, workspace))
    if known - wanted:
        gone = table.c.person.in_(known - wanted)
        tx.execute(delete(table).where(table.c.workspace == workspace, gone))
    for person in sorted(wanted - known):
        _add_once(tx, table, {"workspace": workspace, "person": person})


def leads(tx: Transaction, workspace: WorkspaceId, *, lock: bool = False) -> list[UserId]:
    """Return everybody who leads here. lock: keep it so until the transaction ends (PostgreSQL; SQLite always does)."""
    query = select(tables.leads.c.person).where(tables.leads.c.workspace == workspace).order_by(tables.leads.c.person)
    if lock:
        query = query.with_for_update(read=True)
    return [UserId(person) for person in tx.execute(query).scalars()]


def last_asked(tx: Transaction, workspace: WorkspaceId) -> dict[UserId, datetime]:
    """Return when each person was last asked for an approval."""
    column = tables.requests.c
    query = select(column.asked_of, column.asked_at).where(column.workspace == workspace).order_by(column.asked_at)
    return {UserId(person): at for person, at in tx.execute(query)}


def meet(tx: Transaction, workspace: WorkspaceId, person: UserId) -> None:
    """Remember that this person uses Labcoat, so that their zone is looked up."""
    table = tables.people
    known = select(table.c.person).where(table.c.workspace == workspace, table.c.person == person)
    if tx.execute(known).scalar_one_or_none() is None:
        _add_once(tx, table, {"workspace": workspace, "person": person, "zone": None})


def people_without_zone(tx: Transaction, workspace: WorkspaceId) -> list[UserId]:
    """Return the people whose zone Slack was not yet asked for."""
    column = tables.people.c
    query = select(column.person).where(column.workspace == workspace, column.zone.is_(None))
    return [UserId(person) for person in tx.execute(query).scalars()]


def set_zone(tx: Transaction, workspace: WorkspaceId, person: UserId, zone: str) -> None:
    """Store the IANA name of a person's zone."""
    column = tables.people.c
    known = update(tables.people).where(column.workspace == workspace, column.person == person)
    tx.execute(known.values(zone=zone))


def zones(tx: Transaction, workspace: WorkspaceId) -> dict[UserId | None, str]:
    """Return the IANA names of the zones of everybody whose zone is known."""
    column = tables.people.c
    query = select(column.person, column.zone).where(column.workspace == workspace, column.zone.is_not(None))
    return {UserId(person): zone for person, zone in tx.execute(query)}
