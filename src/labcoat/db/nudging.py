"""Which hypotheses are to be asked about, what tells that they stall, and the nudges that were sent about them.

Each open hypothesis has the time at which it is asked about next in one column, as an experiment has that of its next
look: finding what is due is one indexed query, however many are finished.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.db.tables import schema
from labcoat.db.tables.nudges import nudges, snoozes, stalls
from labcoat.db.workspaces import add_once
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.nudge import Nudge, SentNudge
from labcoat.domain.stall import NudgeCase

TOUCHED: Mapping[str, Any] = {
    "next_nudge_at": schema.hypotheses.c.filed_at,
    "touched": schema.hypotheses.c.touched + 1,
}
"""What has a hypothesis asked about at the next tick."""

_TOUCH = (
    update(schema.hypotheses)
    .where(
        schema.hypotheses.c.workspace == bindparam("its_workspace"),
        schema.hypotheses.c.number == bindparam("its_number"),
    )
    .values(TOUCHED)
)
# None of these asks for an order, or for each workspace once: for that SQLite would read all there is, by primary key.
_WORKSPACES_DUE = select(schema.hypotheses.c.workspace).where(schema.hypotheses.c.next_nudge_at <= bindparam("now"))
_DUE = select(schema.hypotheses).where(
    schema.hypotheses.c.workspace == bindparam("workspace"), schema.hypotheses.c.next_nudge_at <= bindparam("now")
)
_UNANSWERED = select(nudges).where(
    nudges.c.workspace == bindparam("workspace"),
    nudges.c.hypothesis == bindparam("hypothesis"),
    nudges.c.entry.is_(None),
    nudges.c.snoozed_until.is_(None),
    nudges.c.subject.is_not(None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A hypothesis to be asked about. changed_at: its newest step.

    version, touched: tell whether anything happened since.
    """

    number: HypothesisNumber
    version: int
    touched: int
    changed_at: datetime


def invalidate(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> None:
    """Have a hypothesis asked about at the next tick: something may have begun to stall, or stalls no more."""
    tx.execute(_TOUCH, {"its_workspace": workspace, "its_number": number})


def invalidate_all(
    tx: Transaction, workspace: WorkspaceId, *, owner: UserId | None = None, channel: ChannelId | None = None
) -> None:
    """Have everything open of one owner, or in one channel, asked about at the next tick."""
    column = schema.hypotheses.c
    whose = column.owner == owner if owner is not None else column.channel == channel
    mine = (column.workspace == workspace) & whose & column.ended_at.is_(None)
    tx.execute(update(schema.hypotheses).where(mine).values(TOUCHED))


def workspaces_due(tx: Transaction, now: datetime) -> list[WorkspaceId]:
    """Return the workspaces in which any hypothesis is to be asked about."""
    return sorted({WorkspaceId(workspace) for workspace in tx.execute(_WORKSPACES_DUE, {"now": now}).scalars()})


def due(tx: Transaction, workspace: WorkspaceId, now: datetime) -> list[Due]:
    """Return which of a workspace's hypotheses are to be asked about, by number."""
    found = tx.execute(_DUE, {"workspace": workspace, "now": now}).mappings()
    return sorted((from_row(Due, schema.hypotheses, row) for row in found), key=lambda one: one.number)


def changed_at(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[HypothesisNumber]
) -> dict[HypothesisNumber, datetime]:
    """Return when each of these hypotheses took its newest step."""
    column = schema.hypotheses.c
    query = select(column.number, column.changed_at).where(column.workspace == workspace, column.number.in_(numbers))
    return {HypothesisNumber(number): at for number, at in tx.execute(query)}


def claim_due(tx: Transaction, workspace: WorkspaceId, due: Due, *, then: datetime | None) -> bool:
    """Take a hypothesis that is due and set when it is asked about next; False if a replica, or a step, was first."""
    column = schema.hypotheses.c
    one = (column.workspace == workspace) & (column.number == due.number)
    is_as_read = (column.version == due.version) & (column.touched == due.touched)
    taken = {"next_nudge_at": then, "touched": column.touched + 1}
    return tx.execute(update(schema.hypotheses).where(one, is_as_read).values(taken)).rowcount == 1


def reschedule(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, at: datetime) -> None:
    """Have a hypothesis that this transaction took asked about at that time."""
    column = schema.hypotheses.c
    one = update(schema.hypotheses).where(column.workspace == workspace, column.number == number)
    tx.execute(one.values(next_nudge_at=at))


def found_since(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[HypothesisNumber]
) -> Mapping[HypothesisNumber, dict[NudgeCase, datetime]]:
    """Return the first-seen time of stalls in these hypotheses that have no timestamp of their own."""
    column = stalls.c
    query = select(column.hypothesis, column.case, column.since).where(
        column.workspace == workspace, column.hypothesis.in_(numbers)
    )
    found: dict[HypothesisNumber, dict[NudgeCase, datetime]] = defaultdict(dict)
    for number, case, since in tx.execute(query):
        found[HypothesisNumber(number)][case] = since
    return found


def open_stall(
    tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, case: NudgeCase, *, since: datetime
) -> None:
    """Remember when a stall was found."""
    add_once(tx, stalls, {"workspace": workspace, "hypothesis": number, "case": case, "since": since})


def close_stall(
    tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, cases: Collection[NudgeCase]
) -> None:
    """Forget stalls that are over; the same case later is a new one."""
    column = stalls.c
    mine = (column.workspace == workspace) & (column.hypothesis == number) & column.case.in_(cases)
    tx.execute(delete(stalls).where(mine))


def snooze(
    tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber, person: UserId, *, until: datetime
) -> None:
    """Store until when a person wants to hear nothing of a hypothesis."""
    column = snoozes.c
    mine = (column.workspace == workspace) & (column.hypothesis == number) & (column.person == person)
    tx.execute(delete(snoozes).where(mine))
    add_once(tx, snoozes, {"workspace": workspace, "hypothesis": number, "person": person, "until": until})


def snoozed(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[HypothesisNumber]
) -> Mapping[HypothesisNumber, dict[UserId, datetime]]:
    """Return until when each person snoozed these hypotheses, past moments too."""
    column = snoozes.c
    query = select(column.hypothesis, column.person, column.until).where(
        column.workspace == workspace, column.hypothesis.in_(numbers)
    )
    found: dict[HypothesisNumber, dict[UserId, datetime]] = defaultdict(dict)
    for number, person, until in tx.execute(query):
        found[HypothesisNumber(number)][UserId(person)] = until
    return found


def sent(tx: Transaction, workspace: WorkspaceId, keys: Sequence[str]) -> frozenset[str]:
    """Return which of these nudges were sent before."""
    column = nudges.c
    found: set[str] = set()
    for first in range(0, len(keys), 500):
        part = keys[first : first + 500]
        query = select(column.key).where(column.workspace == workspace, column.key.in_(part))
        found.update(tx.execute(query).scalars())
    return frozenset(found)


def in_message(tx: Transaction, workspace: WorkspaceId, subject: str) -> list[SentNudge]:
    """Return the nudges of a message, the most urgent first."""
    query = select(nudges).where(nudges.c.workspace == workspace, nudges.c.subject == subject)
    found = [from_row(SentNudge, nudges, row) for row in tx.execute(query).mappings()]
    order = list(NudgeCase)
    return sorted(found, key=lambda one: (order.index(one.nudge.case), one.nudge.hypothesis))


def unanswered(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> list[SentNudge]:
    """Return the nudges about a hypothesis whose buttons are still there."""
    found = tx.execute(_UNANSWERED, {"workspace": workspace, "hypothesis": number}).mappings()
    return [from_row(SentNudge, nudges, row) for row in found]


def answer(
    tx: Transaction,
    workspace: WorkspaceId,
    keys: Collection[str],
    *,
    entry: int | None = None,
    snoozed_until: datetime | None = None,
) -> None:
    """Remember what ended these nudges: a step of the history, or a snooze."""
    column = nudges.c
    mine = update(nudges).where(column.workspace == workspace, column.key.in_(keys))
    tx.execute(mine.values(entry=entry, snoozed_until=snoozed_until))


def record(tx: Transaction, workspace: WorkspaceId, nudge: Nudge, *, subject: str | None, at: datetime) -> None:
    """Store a nudge that whoever holds its hypothesis sends; subject: of its message, None if it was told elsewhere."""
    row = {"workspace": workspace, "key": nudge.key, "person": nudge.person, "made_at": at, "nudge": nudge}
    tx.execute(insert(nudges).values(hypothesis=nudge.hypothesis, subject=subject, **row))
