"""Short-lived permissions Slack hands to an app: trigger ids and response URLs."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_sandbox.wire import SlackError

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5


@dataclass(slots=True)
class Trigger:
    """Lets the app open one form for one person, shortly after they acted."""

    user: str
    view_id: str | None  # the form they acted in, if any
    made_at: float
    is_used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Lets the app answer one act a few times without being in the channel."""

    user: str
    channel: str
    made_at: float
    message_ts: str | None  # the message they clicked in, if any
    thread_ts: str | None
    is_ephemeral: bool
    uses: int = 0


class Passes:
    """All permissions handed out; the clock is an argument so that tests need not wait."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}

    def new_trigger(self, user: str, *, view_id: str | None = None) -> str:
        """Return a trigger id in Slack's form of three parts."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user=user, view_id=view_id, made_at=self._clock())
        return trigger_id

    def use_trigger(self, trigger_id: str) -> Trigger:
        """Return the trigger and spend it; raises SlackError when unknown, spent or too old."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.is_used:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - trigger.made_at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def new_response_url(
        self,
        user: str,
        *,
        channel: str,
        message_ts: str | None = None,
        thread_ts: str | None = None,
        is_ephemeral: bool = False,
    ) -> str:
        """Return the secret part of a response URL."""
        secret = secrets.token_urlsafe(18)
        self._response_urls[secret] = ResponseUrl(
            user=user,
            channel=channel,
            made_at=self._clock(),
            message_ts=message_ts,
            thread_ts=thread_ts,
            is_ephemeral=is_ephemeral,
        )
        return secret

    def use_response_url(self, secret: str) -> ResponseUrl:
        """Return what the URL answers, counting the use; raises SlackError when it is spent or too old."""
        url = self._response_urls.get(secret)
        if url is None:
            raise SlackError("invalid_url")
        if self._clock() - url.made_at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        return url
