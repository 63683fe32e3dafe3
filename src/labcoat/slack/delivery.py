"""Delivery: claims one notice, tells it to Slack, settles it. A crash at any line loses nothing and doubles nothing.

A message carries the notice's key in its metadata. An attempt that ended without an answer is looked up by that key
before anything is sent again. Without a history scope Slack refuses the look-up, and the kind of the notice decides.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.db import outbox
from labcoat.db.clock import machine_now
from labcoat.db.database import Database
from labcoat.db.outbox import Claim
from labcoat.domain.ids import ChannelId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.slack.blocks import Message
from labcoat.slack.rendering import Drawable, find_drawable, render, render_home
from labcoat.slack.uploading import upload_picture
from labcoat.usecases import telling

_log = logging.getLogger(__name__)

EVENT_TYPE = "labcoat_notice"
GIVE_UP_AFTER = timedelta(hours=24)
LONGEST_WAIT_SECONDS = 600.0
MOST_LOST_LEASES = 8
"""How often a notice may be claimed and never settled before something in it is taken to kill whoever delivers it."""
LOOK_BACK = timedelta(minutes=5)
"""Slack's clock may be behind ours by so much when a message is looked for."""

SENT_AGAIN_WITHOUT_LOOK_UP = frozenset(NoticeKind) - {NoticeKind.STORY}
"""What is rather said twice than never, where nobody can look. A line of the story is rather missing than doubled: the
card and the history have the fact all the same."""

_PERMANENT = frozenset(
    {
        "account_inactive", "cannot_dm_bot", "channel_not_found", "invalid_auth", "invalid_blocks", "is_archived",
        "missing_scope", "msg_blocks_too_long", "msg_too_long", "no_text", "not_authed", "not_enabled",
        "not_in_channel", "restricted_action", "token_revoked", "user_disabled", "user_not_found", "users_not_found",
    }
)  # fmt: skip
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class _Gone(Exception):  # noqa: N818  not an error: someone deleted the message
    """The message to edit is not there any more."""


class _Orphan(Exception):  # noqa: N818  not an error: its message could not be sent
    """There is no message in whose thread it belongs, and in the channel it would be noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """lease: how long another process waits before it takes over what this one began. zone: for dates."""

    database: Database
    client: WebClient
    zone: str
    lease: timedelta

    def deliver_next(self, *, now: datetime) -> bool:
        """Deliver one notice; return False if none is due. now: business time, for the words only."""
        with self.database.writing() as tx:
            claimed = outbox.claim(tx, at=machine_now(), lease=self.lease)
        if claimed is None:
            return False
        if claimed.lost_leases > MOST_LOST_LEASES:
            self._bury(claimed, f"claimed {claimed.lost_leases} times and never settled")
            return True
        try:
            channel, ts = self._tell(claimed, now)
        except _Orphan:
            self._bury(claimed, "the message that it belongs under was never sent")
        except SlackApiError as error:
            self._refused(claimed, error)
        except (SlackClientError, HTTPException, OSError) as error:
            self._retry(claimed, problem=type(error).__name__)
        else:
            with self.database.writing() as tx:
                outbox.settle(tx, claimed, channel=channel, ts=ts)
        return True

    def _tell(self, claimed: Claim, now: datetime) -> tuple[ChannelId, str]:
        notice = claimed.notice
        if notice.kind is NoticeKind.HOME:
            return self._publish_home(notice, now)
        with self.database.reading() as tx:
            message = render(tx, notice, now=now, zone=self.zone)
            post = outbox.find_post(tx, notice.workspace, notice.subject) if notice.subject else None
            parent = outbox.find_post(tx, notice.workspace, notice.parent) if notice.parent else None
            drawable = find_drawable(tx, notice)
        if notice.kind is NoticeKind.CHART and parent is None:
            raise _Orphan
        if post is not None:
            try:
                return self._edit(post.channel, post.ts, message)
            except _Gone:
                with self.database.writing() as tx:
                    outbox.forget_post(tx, notice.workspace, str(notice.subject))
        channel, thread = self._channel(notice), parent.ts if parent else None
        if claimed.may_be_sent:
            found = self._look_up(claimed, channel, thread)
            if found is not None:
                return channel, found
        if drawable is not None:
            message = self._with_picture(drawable)
        return self._post(claimed, channel, thread, message)

    def _with_picture(self, drawable: Drawable) -> Message:
        chart = drawable.draw()
        name = f"E-{drawable.experiment.number}"
        file_id = upload_picture(self.client, chart.png, name=f"{name}.png", title=name)
        return drawable.message(chart, file_id)

    def _publish_home(self, notice: Notice, now: datetime) -> tuple[ChannelId, str]:
        # Publishing the same twice is harmless, so nothing is looked up.
        with self.database.reading() as tx:
            view = render_home(tx, notice, now=now, zone=self.zone)
        self.client.views_publish(user_id=str(notice.person), view=view)
        return ChannelId(""), ""

    def _channel(self, notice: Notice) -> ChannelId:
        if notice.channel is not None:
            return notice.channel
        return ChannelId(self.client.conversations_open(users=str(notice.person))["channel"]["id"])

    def _edit(self, channel: ChannelId, ts: str, message: Message) -> tuple[ChannelId, str]:
        try:
            self.client.chat_update(channel=channel, ts=ts, **message.arguments())
        except SlackApiError as error:
            if error.response["error"] in _GONE:
                raise _Gone from error
            raise
        return channel, ts

    def _post(self, claimed: Claim, channel: ChannelId, thread: str | None, message: Message) -> tuple[ChannelId, str]:
        answer = self.client.chat_postMessage(
            channel=channel,
            thread_ts=thread,
            reply_broadcast=claimed.notice.is_loud if thread else None,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": claimed.key}},
            unfurl_links=False,
            unfurl_media=False,
            **message.arguments(),
        )
        return ChannelId(answer["channel"]), str(answer["ts"])

    def _look_up(self, claimed: Claim, channel: ChannelId, thread: str | None) -> str | None:
        """Return the ts of a message that an earlier attempt left."""
        oldest = f"{(claimed.created_at - LOOK_BACK).timestamp():.6f}"
        wanted: dict[str, Any] = {"channel": channel, "oldest": oldest, "include_all_metadata": True, "limit": 200}
        try:
            pages = (
                self.client.conversations_replies(ts=thread, **wanted)
                if thread
                else self.client.conversations_history(**wanted)
            )
            for page in pages:
                for message in page["messages"]:
                    if message.get("metadata", {}).get("event_payload", {}).get("key") == claimed.key:
                        return str(message["ts"])
        except SlackApiError as error:
            is_unseen = error.response["error"] == "missing_scope"
            if not is_unseen or claimed.notice.kind not in SENT_AGAIN_WITHOUT_LOOK_UP:
                raise
        return None

    def _refused(self, claimed: Claim, error: SlackApiError) -> None:
        reason = str(error.response["error"])
        if reason == "ratelimited":
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            wait = timedelta(seconds=float(headers.get("retry-after", 30)))
            with self.database.writing() as tx:
                outbox.retry(tx, claimed, at=machine_now() + wait, may_be_sent=claimed.may_be_sent, problem=reason)
        elif reason in _PERMANENT:
            self._bury(claimed, reason)
        else:
            self._retry(claimed, problem=reason)

    def _retry(self, claimed: Claim, *, problem: str) -> None:
        """Try again later; Slack may have taken the message all the same, so it is looked up first."""
        if machine_now() - claimed.created_at > GIVE_UP_AFTER:
            self._bury(claimed, f"given up after {claimed.attempts} attempts: {problem}")
            return
        wait = min(LONGEST_WAIT_SECONDS, 2.0 ** min(claimed.attempts, 20))
        at = machine_now() + timedelta(seconds=wait)
        with self.database.writing() as tx:
            outbox.retry(tx, claimed, at=at, may_be_sent=True, problem=problem)

    def _bury(self, claimed: Claim, problem: str) -> None:
        _log.warning("notice %s (%s) was given up: %s", claimed.id, claimed.notice.kind, problem)
        with self.database.writing() as tx:
            outbox.bury(tx, claimed, problem=problem)
            telling.tell_of_undelivered(tx, claimed.notice, problem=problem)
