"""People: who they are as Slack says, the zone they live in, and when they are away."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Float, RowMapping, String, and_, bindparam, literal, null, or_, select, update

from labcoat.db import clock, nudging
from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.db.workspaces import add_unless_there
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.person import Person, Presence, Standing

# Made once: every click asks these, and to build a statement takes longer than SQLite takes to answer it.
_MINE_OR_ABSENT = and_(
    schema.people.c.workspace == bindparam("workspace"),
    or_(
        schema.people.c.person == bindparam("person"),
        schema.people.c.away_until.is_not(None),
        schema.people.c.standing != Standing.MEMBER,
    ),
)
_OFFSET = select(schema.clock.c.offset_seconds).limit(1).scalar_subquery().label("offset_seconds")
_PEOPLE = select(_OFFSET, null().cast(String).label("lead"), schema.people).select_from(
    select(literal(1).label("one")).subquery().outerjoin(schema.people, _MINE_OR_ABSENT)
)


def _acting(*, keeps_leads: bool) -> CompoundSelect[Any]:
    leads = select(schema.leads.c.person).where(schema.leads.c.workspace == bindparam("workspace"))
    kept = (leads.with_for_update(read=True) if keeps_leads else leads).subquery()
    others = (null().cast(column.type) for column in schema.people.columns)
    return _PEOPLE.union_all(select(null().cast(Float), kept.c.person.cast(String), *others))


_ACTING = {keeps_leads: _acting(keeps_leads=keeps_leads) for keeps_leads in (True, False)}
_AWAY = select(schema.people).where(
    schema.people.c.workspace == bindparam("workspace"), schema.people.c.away_until > bindparam("now")
)
_ABSENT = select(schema.people).where(
    schema.people.c.workspace == bindparam("workspace"),
    or_(schema.people.c.away_until > bindparam("now"), schema.people.c.standing != Standing.MEMBER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts and who leads. is_met: whether the database knows whoever acts. known: also who may not be there."""

    standing: Standing
    is_met: bool
    known: tuple[Person, ...]
    leads: tuple[UserId, ...]

    def presence(self, now: datetime) -> Presence:
        """Return who is away now, and who is known to be no member."""
        return _presence(self.known, now)


def acting(tx: Transaction, workspace: WorkspaceId, person: UserId, *, keeps_leads: bool = True) -> Acting:
    """Return what there is to know when somebody acts, how far business time is ahead included, by one statement.

    keeps_leads: nobody else changes who leads until the transaction ends (PostgreSQL; SQLite always does), as who may
    approve is decided by it. Whoever changes the leads must not: two who do would wait for each other.
    """
    rows = tx.execute(_ACTING[keeps_leads], {"workspace": workspace, "person": person}).mappings().all()
    clock.know_offset(tx, next(row["offset_seconds"] for row in rows if row["lead"] is None))
    found = [_person(row) for row in rows if row["person"] is not None]
    mine = next((one for one in found if one.user == person), None)
    return Acting(
        standing=mine.standing if mine is not None else Standing.MEMBER,
        is_met=mine is not None,
        known=tuple(found),
        leads=tuple(sorted(UserId(row["lead"]) for row in rows if row["lead"] is not None)),
    )


def meet(tx: Transaction, workspace: WorkspaceId, person: UserId) -> None:
    """Remember that this person uses Labcoat, so that Slack is asked who they are."""
    add_unless_there(tx, schema.people, {"workspace": workspace, "person": person, "is_admin": False})


def find(tx: Transaction, workspace: WorkspaceId, person: UserId) -> Person | None:
    """Return somebody whom Slack was asked about, None for anybody else."""
    table = schema.people
    query = select(table).where(
        table.c.workspace == workspace, table.c.person == person, table.c.checked_at.is_not(None)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else _person(row)


def away(tx: Transaction, workspace: WorkspaceId, now: datetime) -> dict[UserId, Person]:
    """Return everybody who is away now."""
    found = tx.execute(_AWAY, {"workspace": workspace, "now": now}).mappings()
    return {one.user: one for one in map(_person, found)}


def _person(row: RowMapping) -> Person:
    named = {**row, "user": row["person"], "standing": row["standing"] or Standing.MEMBER}
    return Person(**{name: named[name] for name in Person.__dataclass_fields__})


def not_members(tx: Transaction, workspace: WorkspaceId) -> frozenset[UserId]:
    """Return everybody who is known to be no member: guests, bots, the deactivated, strangers."""
    column = schema.people.c
    query = select(column.person).where(column.workspace == workspace, column.standing != Standing.MEMBER)
    return frozenset(UserId(person) for person in tx.execute(query).scalars())


def presence(tx: Transaction, workspace: WorkspaceId, now: datetime) -> Presence:
    """Return who is away now, and who is known to be no member."""
    found = [_person(row) for row in tx.execute(_ABSENT, {"workspace": workspace, "now": now}).mappings()]
    return _presence(found, now)


def _presence(found: Collection[Person], now: datetime) -> Presence:
    return Presence(
        away={person.user: person for person in found if person.is_away(now)},
        gone=frozenset(person.user for person in found if person.standing is not Standing.MEMBER),
    )


def unchecked(tx: Transaction, workspace: WorkspaceId, *, before: datetime, limit: int = 50) -> list[UserId]:
    """Return people whom Slack was not asked about since `before` (machine time), the longest ago first."""
    column = schema.people.c
    query = (
        select(column.person)
        .where(column.workspace == workspace, or_(column.checked_at.is_(None), column.checked_at < before))
        .order_by(column.checked_at.asc().nulls_first(), column.person)
        .limit(limit)
    )
    return [UserId(person) for person in tx.execute(query).scalars()]


def know(tx: Transaction, workspace: WorkspaceId, person: Person, *, at: datetime) -> None:
    """Store what Slack says of a person; their own settings stay. at: machine time."""
    meet(tx, workspace, person.user)
    before = find(tx, workspace, person.user)
    if before is None or before.standing is not person.standing:
        nudging.invalidate_all(tx, workspace, owner=person.user)
    row = {"standing": person.standing, "is_admin": person.is_admin, "zone": person.zone, "checked_at": at}
    _update(tx, workspace, person.user, row)


def set_away(
    tx: Transaction, workspace: WorkspaceId, person: UserId, *, until: datetime | None, stand_in: UserId | None
) -> None:
    """Store until when somebody is away, None for not at all, and who stands in."""
    meet(tx, workspace, person)
    _update(tx, workspace, person, {"away_until": until, "stand_in": stand_in})


def _update(tx: Transaction, workspace: WorkspaceId, person: UserId, row: dict[str, object]) -> None:
    column = schema.people.c
    tx.execute(update(schema.people).where(column.workspace == workspace, column.person == person).values(row))


def zones(tx: Transaction, workspace: WorkspaceId) -> dict[UserId | None, str]:
    """Return the IANA names of the zones of everybody whose zone is known."""
    column = schema.people.c
    query = select(column.person, column.zone).where(column.workspace == workspace, column.zone.is_not(None))
    return {UserId(person): zone for person, zone in tx.execute(query)}


def admins(tx: Transaction, workspace: WorkspaceId) -> list[UserId]:
    """Return the admins of the Slack workspace who have used Labcoat."""
    column = schema.people.c
    query = select(column.person).where(column.workspace == workspace, column.is_admin.is_(True))
    return [UserId(person) for person in tx.execute(query.order_by(column.person)).scalars()]


def among(tx: Transaction, workspace: WorkspaceId, people: Collection[UserId]) -> dict[UserId, Person]:
    """Return those of these people whom Slack was asked about."""
    table = schema.people
    query = select(table).where(
        table.c.workspace == workspace, table.c.person.in_(people), table.c.checked_at.is_not(None)
    )
    return {one.user: one for one in map(_person, tx.execute(query).mappings())}
