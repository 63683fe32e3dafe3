"""The outbox: notices written with the change that caused them, claimed and settled by delivery.

A row is pending, sending (leased), unknown (an attempt ended without an answer), sent or dead. Only the oldest
unfinished row of a target can be claimed, so what a channel or a person reads comes in order. Leases and retries are
machine time.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, insert, or_, select, update

from labcoat.db import tables
from labcoat.db.clock import machine_now
from labcoat.db.database import NOTICES_PUT, Transaction
from labcoat.db.workspaces import add_once
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind

PENDING, SENDING, UNKNOWN, SENT, DEAD = "pending", "sending", "unknown", "sent", "dead"
_UNFINISHED = (PENDING, SENDING, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A notice that this process may deliver until its lease ends.

    may_be_sent: an earlier attempt may have reached Slack, so it must be looked up by `key` before it is sent.
    lost_leases: how often whoever claimed it never settled it.
    """

    id: int
    key: str
    notice: Notice
    created_at: datetime
    attempts: int
    may_be_sent: bool
    lost_leases: int
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where Slack keeps a message that is edited in place."""

    channel: ChannelId
    ts: str


def put(tx: Transaction, notice: Notice) -> None:
    """Add a notice; an edit of a subject whose earlier edit is still pending is not added twice."""
    table, at = tables.outbox, machine_now()
    if notice.subject is not None and _is_pending(tx, notice):
        return
    tx.execute(
        insert(table).values(
            key=secrets.token_hex(12),
            workspace=notice.workspace,
            kind=notice.kind,
            channel=notice.channel,
            person=notice.person,
            subject=notice.subject,
            parent=notice.parent,
            is_loud=notice.is_loud,
            details=notice.details,
            state=PENDING,
            created_at=at,
            next_try_at=at,
        )
    )
    tx.info[NOTICES_PUT] = True


def _is_pending(tx: Transaction, notice: Notice) -> bool:
    # Rendering reads the database when it is sent, so a pending edit already shows the newest state. The row is locked:
    # if another replica claims it meanwhile, it is no longer pending and the new edit is added.
    column = tables.outbox.c
    query = select(column.id).where(
        column.workspace == notice.workspace, column.subject == notice.subject, column.state == PENDING
    )
    return tx.execute(query.with_for_update(skip_locked=True)).first() is not None


def claim(tx: Transaction, *, at: datetime, lease: timedelta) -> Claim | None:
    """Lease the oldest notice that may be sent now; None if there is none. at: machine time."""
    table = tables.outbox
    # One pass over what is unfinished: asking of each row whether an earlier one blocks it took 40 ms at 300 rows.
    waiting = table.alias("waiting")
    first_of_targets = (
        select(func.min(waiting.c.id))
        .where(waiting.c.state.in_(_UNFINISHED))
        .group_by(waiting.c.workspace, waiting.c.channel, waiting.c.person)
    )
    query = (
        select(table)
        .where(table.c.id.in_(first_of_targets), _is_free(at))
        .order_by(table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = tx.execute(query).mappings().first()
    if row is None:
        return None
    lease_until = at + lease
    taken = and_(table.c.id == row["id"], table.c.state == row["state"], table.c.attempts == row["attempts"])
    lost_leases = row["lost_leases"] + (row["state"] == SENDING)
    leased = {"state": SENDING, "lease_until": lease_until, "attempts": row["attempts"] + 1, "lost_leases": lost_leases}
    if tx.execute(update(table).where(taken).values(leased)).rowcount != 1:
        return None
    return Claim(
        id=row["id"],
        key=row["key"],
        notice=_notice(row),
        created_at=row["created_at"],
        attempts=row["attempts"] + 1,
        may_be_sent=row["state"] != PENDING,
        lost_leases=lost_leases,
        lease_until=lease_until,
    )


def _is_free(at: datetime) -> ColumnElement[bool]:
    column = tables.outbox.c
    return or_(
        and_(column.state.in_((PENDING, UNKNOWN)), column.next_try_at <= at),
        and_(column.state == SENDING, column.lease_until <= at),
    )


def _notice(row: RowMapping) -> Notice:
    return Notice(**{name: row[name] for name in Notice.__dataclass_fields__})


def settle(tx: Transaction, claimed: Claim, *, channel: ChannelId, ts: str) -> None:
    """Record that a notice was sent, and where the message is if it will be edited."""
    is_mine = _finish(tx, claimed, state=SENT, sent_channel=channel, sent_ts=ts, problem=None)
    subject = claimed.notice.subject
    if is_mine and subject is not None and find_post(tx, claimed.notice.workspace, subject) is None:
        row = {"workspace": claimed.notice.workspace, "subject": subject, "channel": channel, "ts": ts}
        tx.execute(insert(tables.posts).values(row))


def retry(tx: Transaction, claimed: Claim, *, at: datetime, may_be_sent: bool, problem: str) -> None:
    """Put a notice back until `at` (machine time); may_be_sent: nobody knows whether Slack took it."""
    _finish(tx, claimed, state=UNKNOWN if may_be_sent else PENDING, next_try_at=at, problem=problem)


def bury(tx: Transaction, claimed: Claim, *, problem: str) -> None:
    """Give a notice up: it cannot be delivered, and the row stays to be seen."""
    _finish(tx, claimed, state=DEAD, problem=problem)


def _finish(tx: Transaction, claimed: Claim, **values: object) -> bool:
    # Only the holder of the lease may settle: another process may have claimed the row after the lease ended.
    column = tables.outbox.c
    mine = and_(column.id == claimed.id, column.state == SENDING, column.attempts == claimed.attempts)
    return tx.execute(update(tables.outbox).where(mine).values(lease_until=None, **values)).rowcount == 1


def find_post(tx: Transaction, workspace: WorkspaceId, subject: str) -> Post | None:
    """Return the message of a subject, None if it was not sent yet."""
    table = tables.posts
    query = select(table.c.channel, table.c.ts).where(table.c.workspace == workspace, table.c.subject == subject)
    row = tx.execute(query).first()
    return None if row is None else Post(channel=ChannelId(row.channel), ts=row.ts)


def shown(tx: Transaction, workspace: WorkspaceId, subjects: Collection[str]) -> list[str]:
    """Return those of these subjects that are shown somewhere."""
    column = tables.posts.c
    query = select(column.subject).where(column.workspace == workspace, column.subject.in_(subjects))
    return list(tx.execute(query.order_by(column.subject)).scalars())


def remember_post(tx: Transaction, workspace: WorkspaceId, subject: str) -> None:
    """Remember that a subject is shown somewhere that is no message, as Home is."""
    if find_post(tx, workspace, subject) is None:
        add_once(tx, tables.posts, {"workspace": workspace, "subject": subject, "channel": "", "ts": ""})


def forget_post(tx: Transaction, workspace: WorkspaceId, subject: str) -> None:
    """Forget where the message of a subject is, because somebody deleted it."""
    column = tables.posts.c
    tx.execute(delete(tables.posts).where(column.workspace == workspace, column.subject == subject))


def people_told(tx: Transaction, workspace: WorkspaceId, *, subject_prefix: str) -> list[UserId]:
    """Return the people who have a message whose subject starts like this."""
    column = tables.outbox.c
    query = select(column.person).where(column.workspace == workspace, column.subject.startswith(subject_prefix))
    return sorted({UserId(person) for person in tx.execute(query).scalars() if person})


def count(tx: Transaction, *, kind: NoticeKind | None = None) -> dict[str, int]:
    """Return how many notices are in each state."""
    column = tables.outbox.c
    query = select(column.state, func.count()).group_by(column.state)
    if kind is not None:
        query = query.where(column.kind == kind)
    return {state: number for state, number in tx.execute(query)}  # noqa: C416  a Row is no tuple to dict()


def problems(tx: Transaction) -> list[str]:
    """Return what went wrong with the notices that were given up, newest first."""
    column = tables.outbox.c
    query = select(column.kind, column.problem).where(column.state == DEAD).order_by(column.id.desc()).limit(50)
    return [f"{kind}: {problem}" for kind, problem in tx.execute(query)]
