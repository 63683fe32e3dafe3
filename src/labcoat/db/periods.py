"""What is made once and must not be made again: a channel's weekly digest, a person's daily nudges, by unique keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, Table, and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables import schema
from labcoat.db.workspaces import add_once
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId

_DEFAULTS = ChannelSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestChannel:
    """A channel that is the home of hypotheses, with what it chose. newest: the Monday of its newest digest."""

    workspace: WorkspaceId
    channel: ChannelId
    first_filed_at: datetime
    newest: date | None
    settings: ChannelSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeDigest:
    """A week whose digest was made. said_nothing_open: it said so, and the next empty one stays silent.

    told: what of the hour before it was in it, as `weeks` names that; None where it was not remembered yet.
    """

    monday: date
    made_at: datetime
    said_nothing_open: bool
    is_silent: bool = False
    told: tuple[str, ...] | None = None


def add_channel(tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, first_filed_at: datetime) -> None:
    """Remember that a channel is the home of a hypothesis, and since when."""
    table = schema.digest_channels
    mine = and_(table.c.workspace == workspace, table.c.channel == channel)
    known = tx.execute(select(table.c.first_filed_at).where(mine)).scalar_one_or_none()
    if known is None:
        add_once(tx, table, {"workspace": workspace, "channel": channel, "first_filed_at": first_filed_at})
    if known is None or known > first_filed_at:  # another replica may have added it for a later one
        earlier = update(table).where(mine, table.c.first_filed_at > first_filed_at)
        tx.execute(earlier.values(first_filed_at=first_filed_at))


def digest_channels(tx: Transaction, *, before: date) -> list[DigestChannel]:
    """Return, over all workspaces, the channels whose newest digest is of a week before this Monday, or not there."""
    newest = schema.digest_channels.c.newest_monday
    return _channels(tx, _with_settings().where(or_(newest.is_(None), newest < before)))


def hold_channels(tx: Transaction, workspace: WorkspaceId, channels: Collection[ChannelId]) -> list[DigestChannel]:
    """Return these channels, and keep others from making their digests until the transaction ends.

    What another replica holds is left out: it makes them.
    """
    column = schema.digest_channels.c
    query = _with_settings().where(column.workspace == workspace, column.channel.in_(channels))
    return _channels(tx, query.with_for_update(skip_locked=True, of=schema.digest_channels))


def _with_settings() -> Select[Any]:
    mine, chosen = schema.digest_channels.c, schema.channels
    same = and_(chosen.c.workspace == mine.workspace, chosen.c.channel == mine.channel)
    columns = (mine.workspace, mine.channel, mine.first_filed_at, mine.newest_monday, chosen.c.settings)
    return select(*columns).join_from(schema.digest_channels, chosen, same, isouter=True)


def _channels(tx: Transaction, query: Select[Any]) -> list[DigestChannel]:
    return [
        DigestChannel(
            workspace=WorkspaceId(workspace),
            channel=ChannelId(channel),
            first_filed_at=first_filed_at,
            newest=newest,
            settings=settings or _DEFAULTS,
        )
        for workspace, channel, first_filed_at, newest, settings in tx.execute(query)
    ]


def add_digests(tx: Transaction, workspace: WorkspaceId, made: Mapping[ChannelId, MadeDigest]) -> None:
    """Store the digests of weeks that this transaction holds."""
    if not made:
        return
    rows = [
        {"workspace": workspace, "channel": channel, **to_row(one, schema.digests)} for channel, one in made.items()
    ]
    tx.execute(insert(schema.digests), rows)
    column = schema.digest_channels.c
    newest = update(schema.digest_channels).where(
        column.workspace == workspace, column.channel == bindparam("its_channel")
    )
    weeks = [{"its_channel": channel, "newest_monday": one.monday} for channel, one in made.items()]
    tx.execute(newest.values(newest_monday=bindparam("newest_monday")), weeks)


def newest_digests(
    tx: Transaction, workspace: WorkspaceId, channels: Collection[ChannelId]
) -> dict[ChannelId, MadeDigest]:
    """Return the newest week whose digest was made, of each of these channels that had one."""
    made, mine = schema.digests, schema.digest_channels
    newest = and_(
        mine.c.workspace == made.c.workspace, mine.c.channel == made.c.channel, mine.c.newest_monday == made.c.monday
    )
    query = select(made).join(mine, newest).where(made.c.workspace == workspace, made.c.channel.in_(channels))
    return {ChannelId(row["channel"]): from_row(MadeDigest, made, row) for row in tx.execute(query).mappings()}


def claim_nudge_day(
    tx: Transaction, workspace: WorkspaceId, person: UserId, day: date, *, most_a_week: int | None
) -> bool:
    """Take a person's day for a message of nudges; False if it is taken, or the week has as many as it may.

    most_a_week: None for what was told already and only counts.
    """
    week, column = day - timedelta(days=day.weekday()), schema.nudge_days.c
    taken = select(column.day).where(column.workspace == workspace, column.person == person, column.week == week)
    days = list(tx.execute(taken).scalars())
    if day in days or (most_a_week is not None and len(days) >= most_a_week):
        return False
    row = {"workspace": workspace, "person": person, "day": day, "week": week, "position": len(days) + 1}
    return _claim(tx, schema.nudge_days, row)


def _claim(tx: Transaction, table: Table, row: dict[str, object]) -> bool:
    try:
        with tx.begin_nested():
            tx.execute(insert(table).values(row))
    except IntegrityError:  # unique by week, day or place within the week: somebody was first
        return False
    return True
