"""The outbox: notices written with the change that caused them, claimed and settled by delivery.

A row is pending, sending (leased), unknown (an attempt ended without an answer), sent or dead. Only the oldest
unfinished row of a target can be claimed, so what a channel or a person reads comes in order. Leases and retries are
machine time, as `clock.lease_now` tells it.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, and_, bindparam, delete, func, insert, select, update

from labcoat.db import clock, due_notices, fact_rows
from labcoat.db.database import NOTICES_PUT, Transaction
from labcoat.db.fact_rows import UnreadableFactError
from labcoat.db.tables import schema
from labcoat.db.workspaces import add_once
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind, home_subject

_log = logging.getLogger(__name__)

UNREADABLE = "unreadable"
"""The problem of a notice whose row no version here can read."""
PENDING, SENDING, UNKNOWN, SENT, DEAD = "pending", "sending", "unknown", "sent", "dead"

GIVEN_UP = and_(schema.outbox.c.state == DEAD, schema.outbox.c.finished_at.is_not(None))
"""Both, so that an index is asked that has nothing which waits."""

_AS_NAMED = tuple(name for name in Notice.__dataclass_fields__ if name != "fact")
_TIMES = ("created_at", "tried_since", "next_try_at")
_ADD = insert(schema.outbox)
_ADD_STAMPED = _ADD.values(dict.fromkeys(_TIMES, clock.SERVER_STAMP))
PENDING_EDITS = (
    select(schema.outbox.c.subject)
    .where(
        schema.outbox.c.finished_at.is_(None),
        schema.outbox.c.workspace == bindparam("workspace"),
        schema.outbox.c.subject.in_(bindparam("subjects", expanding=True)),
        schema.outbox.c.state == PENDING,
    )
    .with_for_update(skip_locked=True)
)
_POST = select(schema.posts.c.channel, schema.posts.c.ts).where(
    schema.posts.c.workspace == bindparam("workspace"), schema.posts.c.subject == bindparam("subject")
)
_LAST_CHARACTER = "\U0010ffff"
CLOCKS_APART = timedelta(minutes=5)
"""Slack's clock and the database's may differ by so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainWindow:
    """When an attempt may have reached Slack, as Slack's clock may tell it; where a look-up for it had to stop.

    until: None for until now. cursor: Slack's, of the next page; None for the first.
    """

    since: datetime
    until: datetime | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A notice that this process may deliver until its lease ends.

    tried_since: its first attempt, or a retry by hand. may_be_sent: an earlier attempt may have reached Slack, so it
    must be looked up by `key` before it is sent. failures: how many attempts went wrong by the notice's own fault, as
    far as anybody knows: those that Slack refused for no lasting reason, and those that whoever claimed it never
    settled.
    """

    id: int
    key: str
    notice: Notice
    created_at: datetime
    tried_since: datetime
    claimed_at: datetime
    attempts: int
    may_be_sent: bool
    doubt: UncertainWindow
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where Slack keeps a message that is edited in place."""

    channel: ChannelId
    ts: str


def put(tx: Transaction, *notices: Notice) -> None:
    """Add notices of one workspace; an edit of a subject whose earlier edit is still pending is not added twice."""
    pending = _pending_edits(tx, notices)
    add(tx, [notice for notice in notices if notice.subject not in pending])


def add(tx: Transaction, notices: Sequence[Notice]) -> None:
    """Add notices of one workspace, none of which is an edit that is still pending."""
    if not notices:
        return
    rows = [_row(notice) for notice in notices]
    at = clock.lease_stamp(tx)
    if isinstance(at, datetime):
        tx.execute(_ADD, [row | dict.fromkeys(_TIMES, at) for row in rows])
    else:
        tx.execute(_ADD_STAMPED, rows)
    tx.info[NOTICES_PUT] = True


def _row(notice: Notice) -> dict[str, object]:
    told = {name: getattr(notice, name) for name in _AS_NAMED}
    told |= {"details": fact_rows.dump(notice.fact), "target": _target(notice)}
    return {**told, "key": secrets.token_hex(12), "state": PENDING}


def _target(notice: Notice) -> str:
    # A Home is no place where messages come in order, and a person's messages need not wait for it.
    if notice.kind is NoticeKind.HOME and notice.person is not None:
        return home_subject(notice.person)
    return str(notice.channel or notice.person)


def _pending_edits(tx: Transaction, notices: Sequence[Notice]) -> set[str | None]:
    # Rendering reads the database when it is sent, so a pending edit already shows the newest state. The rows are
    # locked: if another replica claims one meanwhile, it is no longer pending and the new edit is added.
    subjects = [notice.subject for notice in notices if notice.subject is not None]
    if not subjects:
        return set()
    asked = {"workspace": notices[0].workspace, "subjects": subjects}
    return set(tx.execute(PENDING_EDITS, asked).scalars())


def claim(tx: Transaction, *, at: datetime, lease: timedelta) -> Claim | None:
    """Lease the notice that waits longest of those that may be sent now; None if there is none. at: machine time."""
    table = schema.outbox
    while (row := due_notices.find_next(tx, at)) is not None:
        try:
            notice = _notice(row)
            break
        except UnreadableFactError as error:  # it must not keep those behind it waiting
            _end_unreadable(tx, row, at)
            _log.error("notice %s is given up: %s", row["id"], error)
    else:
        return None
    doubt = _doubt(row, at)
    leased = {
        "state": SENDING,
        "next_try_at": at + lease,
        "attempts": row["attempts"] + 1,
        "failures": row["failures"] + (row["state"] == SENDING),
        "may_be_sent": row["may_be_sent"] or row["state"] == SENDING,
        # However long nobody was there to try, the day that ends the tries begins with the first.
        "tried_since": row["tried_since"] if row["attempts"] else at,
        **_doubt_columns(doubt),
    }
    taken = and_(table.c.id == row["id"], table.c.state == row["state"], table.c.attempts == row["attempts"])
    if tx.execute(update(table).where(taken).values(leased)).rowcount != 1:
        return None
    return Claim(
        id=row["id"],
        key=row["key"],
        notice=notice,
        created_at=row["created_at"],
        tried_since=leased["tried_since"],
        claimed_at=at,
        attempts=leased["attempts"],
        may_be_sent=leased["may_be_sent"],
        doubt=doubt,
        failures=leased["failures"],
    )


def _end_unreadable(tx: Transaction, row: RowMapping, at: datetime) -> None:
    ended = {"state": DEAD, "finished_at": at, "problem": UNREADABLE}
    tx.execute(update(schema.outbox).where(schema.outbox.c.id == row["id"]).values(ended))


def _doubt(row: RowMapping, at: datetime) -> UncertainWindow:
    since = row["doubt_since"] or at - CLOCKS_APART
    if row["state"] == SENDING:  # whoever had it before may have posted until the lease ended
        return UncertainWindow(since=since, until=row["next_try_at"] + CLOCKS_APART)
    return UncertainWindow(since=since, until=row["doubt_until"], cursor=row["doubt_cursor"])


def _doubt_columns(doubt: UncertainWindow | None) -> dict[str, object]:
    if doubt is None:
        return dict.fromkeys(("doubt_since", "doubt_until", "doubt_cursor"))
    return {"doubt_since": doubt.since, "doubt_until": doubt.until, "doubt_cursor": doubt.cursor}


def _notice(row: RowMapping) -> Notice:
    return Notice(**{name: row[name] for name in _AS_NAMED}, fact=fact_rows.load(row["kind"], row["details"]))


def renew(tx: Transaction, claimed: Claim, *, until: datetime) -> bool:
    """Lease a notice for longer; return False if somebody else has claimed it. until: machine time."""
    return _change(tx, claimed, next_try_at=until)


def settle(tx: Transaction, claimed: Claim, *, channel: ChannelId, ts: str) -> None:
    """Record that a notice was sent, and where the message is if it will be edited."""
    is_mine = _finish(tx, claimed, state=SENT, sent_channel=channel, sent_ts=ts, problem=None)
    subject = claimed.notice.subject
    if is_mine and subject is not None and find_post(tx, claimed.notice.workspace, subject) is None:
        row = {"workspace": claimed.notice.workspace, "subject": subject, "channel": channel, "ts": ts}
        tx.execute(insert(schema.posts).values(row))


def retry(
    tx: Transaction,
    claimed: Claim,
    *,
    at: datetime,
    may_be_sent: bool,
    problem: str,
    is_failure: bool = False,
    doubt: UncertainWindow | None = None,
) -> None:
    """Put a notice back until `at` (machine time).

    may_be_sent: nobody knows whether Slack took it. is_failure: it may be the notice's own fault. doubt: None for as
    claimed.
    """
    values = _still_doubted(claimed, doubt, may_be_sent=may_be_sent)
    state, failures = UNKNOWN if may_be_sent else PENDING, claimed.failures + is_failure
    _change(tx, claimed, state=state, failures=failures, next_try_at=at, problem=problem, **values)


def dead_letter(
    tx: Transaction, claimed: Claim, *, problem: str, may_be_sent: bool, doubt: UncertainWindow | None = None
) -> None:
    """Give a notice up: it cannot be delivered, and the row stays to be seen. may_be_sent, doubt: as of a retry."""
    _finish(tx, claimed, state=DEAD, problem=problem, **_still_doubted(claimed, doubt, may_be_sent=may_be_sent))


def _still_doubted(claimed: Claim, doubt: UncertainWindow | None, *, may_be_sent: bool) -> dict[str, object]:
    return {"may_be_sent": may_be_sent, **_doubt_columns((doubt or claimed.doubt) if may_be_sent else None)}


def _finish(tx: Transaction, claimed: Claim, **values: object) -> bool:
    return _change(tx, claimed, finished_at=clock.lease_stamp(tx), **values)


def _change(tx: Transaction, claimed: Claim, **values: object) -> bool:
    # Only the holder of the lease may settle: another process may have claimed the row after the lease ended.
    column = schema.outbox.c
    mine = and_(column.id == claimed.id, column.state == SENDING, column.attempts == claimed.attempts)
    return tx.execute(update(schema.outbox).where(mine).values(**values)).rowcount == 1


def find_post(tx: Transaction, workspace: WorkspaceId, subject: str) -> Post | None:
    """Return the message of a subject, None if it was not sent yet."""
    row = tx.execute(_POST, {"workspace": workspace, "subject": subject}).first()
    return None if row is None else Post(channel=ChannelId(row.channel), ts=row.ts)


def remember_post(tx: Transaction, workspace: WorkspaceId, subject: str) -> None:
    """Remember that a subject is shown somewhere that is no message, as Home is."""
    if find_post(tx, workspace, subject) is None:
        add_once(tx, schema.posts, {"workspace": workspace, "subject": subject, "channel": "", "ts": ""})


def forget_post(tx: Transaction, workspace: WorkspaceId, subject: str) -> None:
    """Forget where the message of a subject is, because somebody deleted it."""
    column = schema.posts.c
    tx.execute(delete(schema.posts).where(column.workspace == workspace, column.subject == subject))


def people_told(tx: Transaction, workspace: WorkspaceId, *, subject_prefix: str) -> list[UserId]:
    """Return the people for whom there is a message whose subject starts like this and ends with their id.

    Also those who could not be reached: whoever asks wants to know whom nobody has tried yet.
    """
    told, column = schema.posts.c, schema.outbox.c
    begins = and_(told.subject >= subject_prefix, told.subject < subject_prefix + _LAST_CHARACTER)  # a range of the key
    put_here = select(column.subject).where(column.workspace == workspace, column.subject.startswith(subject_prefix))
    queries = (
        select(told.subject).where(told.workspace == workspace, begins),
        put_here.where(column.finished_at.is_(None)),
        put_here.where(GIVEN_UP),
    )
    subjects = {str(subject) for query in queries for subject in tx.execute(query).scalars()}
    return sorted(UserId(subject.rpartition(" ")[2]) for subject in subjects)


def count(tx: Transaction, *, kind: NoticeKind | None = None) -> dict[str, int]:
    """Return how many notices are in each state."""
    column = schema.outbox.c
    query = select(column.state, func.count()).group_by(column.state)
    if kind is not None:
        query = query.where(column.kind == kind)
    return {state: number for state, number in tx.execute(query)}  # noqa: C416  a Row is no tuple to dict()


def has_unfinished(tx: Transaction) -> bool:
    """Whether anything is still to be told."""
    column = schema.outbox.c
    return tx.execute(select(column.id).where(column.finished_at.is_(None)).limit(1)).first() is not None
