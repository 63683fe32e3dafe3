"""What a channel hears when Labcoat is invited to it."""

from labcoat.db import outbox
from labcoat.db.database import Transaction
from labcoat.domain.facts import BotInvited
from labcoat.domain.ids import ChannelId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind


def welcome(tx: Transaction, workspace: WorkspaceId, channel: ChannelId) -> None:
    """Say once in a channel what Labcoat does."""
    subject = f"welcome {channel}"
    if outbox.find_post(tx, workspace, subject) is None:
        outbox.put(
            tx,
            Notice(kind=NoticeKind.WELCOME, workspace=workspace, channel=channel, subject=subject, fact=BotInvited()),
        )
