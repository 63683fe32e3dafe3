"""What was made once and must not be made again: weekly digests and nudges, by unique keys."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Table, insert, select
from sqlalchemy.exc import IntegrityError

from labcoat.db import tables
from labcoat.db.database import Transaction
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeDigest:
    """A week whose digest was made. said_nothing_open: it said so, and the next empty one stays silent."""

    monday: date
    made_at: datetime
    said_nothing_open: bool


def newest_digest(tx: Transaction, workspace: WorkspaceId, channel: ChannelId) -> MadeDigest | None:
    """Return the newest week of a channel whose digest was made."""
    column = tables.digests.c
    query = (
        select(column.monday, column.made_at, column.said_nothing_open)
        .where(column.workspace == workspace, column.channel == channel)
        .order_by(column.monday.desc())
        .limit(1)
    )
    row = tx.execute(query).first()
    return None if row is None else MadeDigest(**row._mapping)


def claim_digest(
    tx: Transaction,
    workspace: WorkspaceId,
    channel: ChannelId,
    monday: date,
    *,
    at: datetime,
    is_silent: bool,
    said_nothing_open: bool,
) -> bool:
    """Take a channel's week; return False if it is taken."""
    row = {"is_silent": is_silent, "said_nothing_open": said_nothing_open, "made_at": at}
    return _claim(tx, tables.digests, {"workspace": workspace, "channel": channel, "monday": monday, **row})


def claim_nudge(tx: Transaction, workspace: WorkspaceId, key: str, *, person: UserId, at: datetime) -> bool:
    """Take a nudge; return False if it was sent before."""
    return _claim(tx, tables.nudges, {"workspace": workspace, "key": key, "person": person, "made_at": at})


def has_nudge(tx: Transaction, workspace: WorkspaceId, key: str) -> bool:
    """Whether the nudge was sent before."""
    column = tables.nudges.c
    return tx.execute(select(column.key).where(column.workspace == workspace, column.key == key)).first() is not None


def _claim(tx: Transaction, table: Table, row: dict[str, object]) -> bool:
    try:
        with tx.begin_nested():
            tx.execute(insert(table).values(row))
    except IntegrityError:  # unique by week or by step: somebody was first
        return False
    return True
