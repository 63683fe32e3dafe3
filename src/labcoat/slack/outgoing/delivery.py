"""Delivery: claims one notice, tells it to Slack, settles it. A crash at any line loses nothing and doubles nothing.

A message carries the notice's key in its metadata. An attempt that ended without an answer is looked up by that key
before anything is sent again. Without a history scope Slack refuses the look-up, and the kind of the notice decides.
Decisions 3, 30 and 31 in docs/decisions.md say why.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.db import clock, outbox
from labcoat.db.database import Database
from labcoat.db.outbox import CLOCKS_APART, Claim, UncertainWindow
from labcoat.domain.ids import ChannelId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.observability import telemetry
from labcoat.slack.blocks import Message
from labcoat.slack.outgoing.rendering import Drawable, find_drawable, render, render_home
from labcoat.slack.outgoing.uploads import upload_picture
from labcoat.slack.retry_after import RateLimitedError, minding
from labcoat.usecases.people import undelivered

_log = logging.getLogger(__name__)

EVENT_TYPE = "labcoat_notice"
GIVE_UP_AFTER = timedelta(hours=24)
WAITS = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 60, 300, 900, 3600, 7200))
"""Between the tries of a notice that Slack takes exception to, which may mend; after the last it is given up."""
MOST_TRIES = len(WAITS) + 1
LONGEST_WAIT = timedelta(minutes=1)
"""Between the tries while nobody answers at all, which says nothing about the notice: only a day ends them."""
PAGE = 200
"""Messages in one answer when one is looked for."""

SENT_AGAIN_WITHOUT_LOOK_UP = frozenset(NoticeKind) - {NoticeKind.STORY}
"""What is rather said twice than never, where nobody can look. A line of the story is rather missing than doubled: the
card and the history have the fact all the same."""

_PERMANENT = frozenset(
    {
        "as_user_not_supported", "cannot_dm_bot", "cannot_reply_to_message", "channel_not_found", "invalid_arguments",
        "invalid_blocks", "invalid_metadata_format", "invalid_metadata_schema", "is_archived", "is_inactive",
        "messages_tab_disabled", "metadata_too_large", "method_not_supported_for_channel_type", "missing_scope",
        "msg_blocks_too_long", "msg_too_long", "no_permission", "no_text", "not_enabled", "not_in_channel",
        "restricted_action", "restricted_action_non_threadable_channel", "restricted_action_read_only_channel",
        "restricted_action_thread_locked", "restricted_action_thread_only_channel", "user_disabled", "user_not_found",
        "user_not_visible", "users_not_found",
    }
)  # fmt: skip
_TOKEN = frozenset(
    {"access_denied", "account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
)
"""Nothing can be told, whatever it is, until whoever runs Labcoat has mended it; so everything waits for a day."""
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class _MessageGoneError(Exception):  # not an error: someone deleted the message
    """The message to edit is not there any more."""


class _OrphanError(Exception):  # not an error: its message could not be sent
    """There is no message in whose thread it belongs, and in the channel it would be noise."""


class _LeaseLostError(Exception):  # not an error: it is in other hands
    """The lease ended before the message was sent, and another process has the notice."""


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """What is being told. began: by the process's steady clock. may_be_sent: true as soon as it may arrive.

    doubt: when it may have arrived, as far as it was not looked up yet.
    """

    claimed: Claim
    began: float
    may_be_sent: bool
    doubt: UncertainWindow

    @property
    def notice(self) -> Notice:
        """What is to be told."""
        return self.claimed.notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Tells what is in the outbox; several may run, in one process or many.

    client_of: speaks for a workspace. zone: for dates. lease: how long others wait before they take over what this one
    began. sending: what one post takes at most. settling: within which Slack's history shows what it accepted.
    """

    database: Database
    client_of: Callable[[WorkspaceId], WebClient]
    zone: str
    lease: timedelta
    sending: timedelta
    settling: timedelta

    def deliver_next(self, *, now: datetime) -> bool:
        """Deliver one notice; return False if none is due. now: business time, for the words only."""
        began = time.monotonic()
        with self.database.writing() as tx:
            # Whoever takes over looks the message up first, and that it may not before Slack shows it.
            claimed = outbox.claim(tx, at=clock.lease_now(tx), lease=self.lease + self.settling)
        if claimed is None:
            return False
        attempt = _Attempt(claimed=claimed, began=began, may_be_sent=claimed.may_be_sent, doubt=claimed.doubt)
        if claimed.failures >= MOST_TRIES:
            self._bury(attempt, f"given up after {claimed.failures} tries: whoever told it did not live to settle it")
            return True
        try:
            channel, ts = self._tell(attempt, now)
        except _LeaseLostError:
            _log.warning("notice %s took longer than its lease; another process tells it", claimed.id)
        except _OrphanError:
            self._bury(attempt, "the message that it belongs under was never sent")
        except RateLimitedError as held:
            self._wait(attempt, held)
        except SlackApiError as error:
            self._refused(attempt, str(error.response["error"]))
        except (SlackClientError, HTTPException, OSError) as error:
            self._retry(attempt, problem=type(error).__name__, is_failure=False)
        else:
            with self.database.writing() as tx:
                outbox.settle(tx, claimed, channel=channel, ts=ts)
            telemetry.told("sent")
        return True

    def _tell(self, attempt: _Attempt, now: datetime) -> tuple[ChannelId, str]:
        notice = attempt.notice
        if notice.kind is NoticeKind.HOME:
            return self._publish_home(notice, now)
        with self.database.reading() as tx:
            message = render(tx, notice, now=now, zone=self.zone)
            post = outbox.find_post(tx, notice.workspace, notice.subject) if notice.subject else None
            parent = outbox.find_post(tx, notice.workspace, notice.parent) if notice.parent else None
            drawable = find_drawable(tx, notice)
        if notice.kind is NoticeKind.CHART and parent is None:
            raise _OrphanError
        if post is not None:
            try:
                return self._edit(notice, post.channel, post.ts, message)
            except _MessageGoneError:
                with self.database.writing() as tx:
                    outbox.forget_post(tx, notice.workspace, str(notice.subject))
        channel, thread = self._channel(notice), parent.ts if parent else None
        if attempt.may_be_sent:
            found = self._look_up(attempt, channel, thread)
            if found is not None:
                return channel, found
        if drawable is not None:
            message = self._with_picture(notice, drawable)
        return self._post(attempt, channel, thread, message)

    def _with_picture(self, notice: Notice, drawable: Drawable) -> Message:
        chart = drawable.draw()
        name = drawable.name
        with minding(self.database, notice.workspace, "files"):  # four calls that only make sense together
            client = self.client_of(notice.workspace)
            file_id = upload_picture(client, chart.png, name=f"{name}.png", title=name)
        return drawable.message(chart, file_id)

    def _publish_home(self, notice: Notice, now: datetime) -> tuple[ChannelId, str]:
        # Publishing the same twice is harmless, so nothing is looked up.
        with self.database.reading() as tx:
            view = render_home(tx, notice, now=now, zone=self.zone)
        self._call(notice, "views.publish", user_id=str(notice.person), view=view)
        return ChannelId(""), ""

    def _channel(self, notice: Notice) -> ChannelId:
        if notice.channel is not None:
            return notice.channel
        return ChannelId(self._call(notice, "conversations.open", users=str(notice.person))["channel"]["id"])

    def _edit(self, notice: Notice, channel: ChannelId, ts: str, message: Message) -> tuple[ChannelId, str]:
        try:
            self._call(notice, "chat.update", channel=channel, ts=ts, **message.arguments())
        except SlackApiError as error:
            if error.response["error"] in _GONE:
                raise _MessageGoneError from error
            raise
        return channel, ts

    def _post(
        self, attempt: _Attempt, channel: ChannelId, thread: str | None, message: Message
    ) -> tuple[ChannelId, str]:
        notice, before = attempt.notice, (attempt.may_be_sent, attempt.doubt)
        self._require_lease(attempt)
        attempt.may_be_sent, attempt.doubt = True, UncertainWindow(since=attempt.claimed.claimed_at - CLOCKS_APART)
        try:
            answer = self._call(
                notice,
                "chat.postMessage",
                channel=channel,
                thread_ts=thread,
                reply_broadcast=notice.is_loud if thread else None,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": attempt.claimed.key}},
                unfurl_links=False,
                unfurl_media=False,
                **message.arguments(),
            )
        except RateLimitedError:
            attempt.may_be_sent, attempt.doubt = before
            raise
        return ChannelId(answer["channel"]), str(answer["ts"])

    def _require_lease(self, attempt: _Attempt) -> None:
        """Raise _Overtaken unless the notice stays ours until a post that begins now has ended."""
        if time.monotonic() - attempt.began + self.sending.total_seconds() <= self.lease.total_seconds():
            return
        attempt.began = time.monotonic()
        with self.database.writing() as tx:
            until = clock.lease_now(tx) + self.lease + self.settling
            if not outbox.renew(tx, attempt.claimed, until=until):
                raise _LeaseLostError

    def _look_up(self, attempt: _Attempt, channel: ChannelId, thread: str | None) -> str | None:
        """Return the ts of a message that an earlier attempt left; one that has to stop goes on at the next try."""
        doubt, key = attempt.doubt, attempt.claimed.key
        wanted: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": PAGE}
        wanted |= {"oldest": _stamp(doubt.since), "latest": _stamp(doubt.until) if doubt.until else None}
        method = "conversations.history"
        if thread:
            method, wanted["ts"] = "conversations.replies", thread
        try:
            while True:
                page = self._call(attempt.notice, method, cursor=attempt.doubt.cursor, **wanted)
                for message in page["messages"]:
                    if message.get("metadata", {}).get("event_payload", {}).get("key") == key:
                        return str(message["ts"])
                following = (page.get("response_metadata") or {}).get("next_cursor")
                attempt.doubt = replace(doubt, cursor=following or None)
                if not following:
                    return None
        except SlackApiError as error:
            reason = error.response["error"]
            attempt.doubt = replace(doubt, cursor=None)  # Slack may not know its cursor any more
            is_unseen = reason == "missing_scope" and attempt.notice.kind in SENT_AGAIN_WITHOUT_LOOK_UP
            if not is_unseen and reason != "thread_not_found":
                raise
        return None

    def _call(self, notice: Notice, method: str, **arguments: Any) -> Any:
        """Return what Slack answers; raise RateLimitedError where it wants no such call now."""
        with minding(self.database, notice.workspace, method):
            return getattr(self.client_of(notice.workspace), method.replace(".", "_"))(**arguments)

    def _wait(self, attempt: _Attempt, held: RateLimitedError) -> None:
        """Put a notice back until Slack wants the call, for a day at most."""
        if _is_old(attempt.claimed):
            self._bury(attempt, "ratelimited")
            return
        may_be_sent, doubt = attempt.may_be_sent, attempt.doubt
        with self.database.writing() as tx:
            outbox.retry(
                tx, attempt.claimed, at=held.until, may_be_sent=may_be_sent, problem="ratelimited", doubt=doubt
            )
        telemetry.told("held")

    def _refused(self, attempt: _Attempt, reason: str) -> None:
        if reason in _PERMANENT or reason in _TOKEN:
            attempt.may_be_sent = attempt.claimed.may_be_sent  # this one did not arrive
        if reason in _PERMANENT:
            self._bury(attempt, reason)
        else:
            self._retry(attempt, problem=reason, is_failure=reason not in _TOKEN)

    def _retry(self, attempt: _Attempt, *, problem: str, is_failure: bool) -> None:
        """Try again later; what Slack may have taken all the same is looked up then, and not before it is shown."""
        claimed = attempt.claimed
        failures = claimed.failures + is_failure
        if failures >= MOST_TRIES or _is_old(claimed):
            self._bury(attempt, problem)
            return
        wait = (
            WAITS[failures - 1]
            if is_failure
            else min(LONGEST_WAIT, timedelta(seconds=2.0 ** min(claimed.attempts, 20)))
        )
        if attempt.may_be_sent:
            wait = max(wait, self.settling)
        with self.database.writing() as tx:
            now = clock.lease_now(tx)
            outbox.retry(
                tx,
                claimed,
                at=now + wait,
                may_be_sent=attempt.may_be_sent,
                problem=problem,
                is_failure=is_failure,
                doubt=_ended(attempt.doubt, now),
            )
        telemetry.told("retried")

    def _bury(self, attempt: _Attempt, problem: str) -> None:
        claimed = attempt.claimed
        _log.warning("notice %s (%s) was given up: %s", claimed.id, claimed.notice.kind, problem)
        with self.database.writing() as tx:
            doubt = _ended(attempt.doubt, clock.lease_now(tx))
            outbox.dead_letter(tx, claimed, problem=problem, may_be_sent=attempt.may_be_sent, doubt=doubt)
            undelivered.tell(tx, claimed.notice, problem=problem)
        telemetry.told("dead")


def _is_old(claimed: Claim) -> bool:
    return claimed.claimed_at - claimed.tried_since > GIVE_UP_AFTER


def _ended(doubt: UncertainWindow, now: datetime) -> UncertainWindow:
    """Return the doubt of an attempt that ends now."""
    return doubt if doubt.until is not None else replace(doubt, until=now + CLOCKS_APART)


def _stamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"
