"""Channels: what each chose; one that chose nothing has no row."""

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from labcoat.db import nudging
from labcoat.db.database import Transaction
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.db.tables import schema
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId, WorkspaceId


def settings(tx: Transaction, workspace: WorkspaceId, channel: ChannelId) -> ChannelSettings:
    """Return what a channel chose, the defaults if nothing."""
    return versioned(tx, workspace, channel)[0]


def versioned(tx: Transaction, workspace: WorkspaceId, channel: ChannelId) -> tuple[ChannelSettings, int]:
    """Return what a channel chose, and how often it changed that (0 for never)."""
    column = schema.channels.c
    query = select(column.settings, column.version).where(column.workspace == workspace, column.channel == channel)
    row = tx.execute(query).first()
    return (ChannelSettings(), 0) if row is None else (row.settings, row.version)


def all_settings(tx: Transaction, workspace: WorkspaceId) -> dict[ChannelId, ChannelSettings]:
    """Return the settings of every channel of the workspace that chose any."""
    column = schema.channels.c
    rows = tx.execute(select(column.channel, column.settings).where(column.workspace == workspace))
    return {ChannelId(channel): chosen for channel, chosen in rows}


def save(
    tx: Transaction, workspace: WorkspaceId, channel: ChannelId, settings: ChannelSettings, *, version: int
) -> None:
    """Store a channel's settings if nobody did since `version` was read; raise ChangedMeanwhileError otherwise."""
    table = schema.channels
    nudging.invalidate_all(tx, workspace, channel=channel)  # its quiet hours may have moved, or nudges been switched on
    if version == 0:
        row = {"workspace": workspace, "channel": channel, "version": 1, "settings": settings}
        try:
            with tx.begin_nested():
                tx.execute(insert(table).values(row))
        except IntegrityError as error:
            raise ChangedMeanwhileError from error
        return
    mine = (table.c.workspace == workspace) & (table.c.channel == channel) & (table.c.version == version)
    if tx.execute(update(table).where(mine).values(version=version + 1, settings=settings)).rowcount != 1:
        raise ChangedMeanwhileError
