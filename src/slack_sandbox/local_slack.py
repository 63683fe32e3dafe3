"""One sandbox: everything it remembers, in one place that the two APIs share."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sandbox import files as file_store
from slack_sandbox.app_clock import AppClock
from slack_sandbox.blocks import read_message_blocks
from slack_sandbox.conversations import Conversation, Conversations
from slack_sandbox.faults import Faults
from slack_sandbox.files import File, Files
from slack_sandbox.journal import Journal
from slack_sandbox.limits import MESSAGE_TEXT
from slack_sandbox.pace import Pace
from slack_sandbox.passes import Passes
from slack_sandbox.socket_mode import SocketMode
from slack_sandbox.views import Views, read_view
from slack_sandbox.wire import Json, SlackError, parsed
from slack_sandbox.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient Slack is; tests shorten it."""

    ack_seconds: float = 3.0
    post_seconds: float = 0.0  # between two posts to a channel; Slack wants about 1, tests and demos do not wait
    event_retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)


class LocalSlack:
    """The state of a sandbox and the few things every part needs from it."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        base_url: str,
        app_url: str | None = None,
        clock_url: str | None = None,
        signing_secret: str,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workspace = workspace
        self.started_at = time.time()
        self.base_url = base_url
        self.app_url = app_url
        self.signing_secret = signing_secret
        self.timing = timing or Timing()
        self.app_clock = AppClock(clock_url)
        self.conversations = Conversations(workspace, shown_now=self.app_clock.now)
        self.views = Views(workspace)
        self.files = Files()
        self.passes = Passes(clock=clock)
        self.pace = Pace(self.timing.post_seconds, clock=clock)
        self.faults = Faults()
        self.journal = Journal()
        self.socket_mode = SocketMode(base_url=base_url, app_id=workspace.bot.app_id)
        self.curtain = ""  # what the page says while a stage is set behind it; nobody can act there before it falls

    @property
    def is_socket_mode(self) -> bool:
        """Whether the app is reached by the links it opens: when it gave no address of its own."""
        return self.app_url is None

    async def move_clock(self, moment: datetime) -> None:
        """Move the app's clock; what is said on the way shows the time of the stop where it was said."""
        stamped = None
        async for _ in self.app_clock.move_to(moment):
            if stamped is not None:
                self.conversations.stamp_anew(after=stamped)
                self.journal.tell({"what": "clock"})
            stamped = self.conversations.stamped()

    def in_history(self, messages: list[Json]) -> list[Json]:
        """Return those of a conversation's messages that its history shows by now."""
        lag = self.faults.history_lag_seconds
        newest = time.time() - lag
        return [message for message in messages if float(message["ts"]) <= newest] if lag else messages

    def read_blocks(self, value: Any) -> list[Json]:
        """Return a message's blocks, checked and with ids."""
        return read_message_blocks(value, is_shown=self.files.is_shown)

    def read_view(self, value: Any, *, is_home: bool = False) -> Json:
        """Return a view an app sent, checked and with ids."""
        return read_view(value, is_home=is_home, is_shown=self.files.is_shown)

    def file_object(self, file: File) -> Json:
        """Return a file as the Web API shows it."""
        return file_store.file_object(file, base_url=self.base_url, team_id=self.workspace.team.id)

    def bot_message(self, content: Json, *, thread_ts: str | None = None) -> Json:
        """Return a new message by the app with this text, blocks and metadata, checked but not stored."""
        bot = self.workspace.bot
        message: Json = {
            "type": "message",
            "user": bot.user_id,
            "bot_id": bot.bot_id,
            "app_id": bot.app_id,
            "team": self.workspace.team.id,
            "ts": self.conversations.next_ts(),
            "bot_profile": {
                "id": bot.bot_id,
                "app_id": bot.app_id,
                "name": bot.name,
                "team_id": self.workspace.team.id,
            },
            **self.read_content(content),
        }
        if thread_ts:
            message["thread_ts"] = thread_ts
        return message

    def read_content(self, content: Json) -> Json:
        """Return what a message says, checked against Slack's limits; raises SlackError."""
        text = str(content.get("text") or "")
        attachments = parsed(content.get("attachments") or [], otherwise="invalid_attachments")
        has_blocks = content.get("blocks") not in (None, "", [], "[]")
        if not text and not has_blocks and not attachments:
            raise SlackError("no_text")
        if len(text) > MESSAGE_TEXT:
            raise SlackError("msg_too_long")
        result: Json = {"text": text}
        if has_blocks:
            result["blocks"] = self.read_blocks(content["blocks"])
        if attachments:
            result["attachments"] = attachments
        if content.get("metadata"):
            result["metadata"] = read_metadata(content["metadata"])
        return result

    def tell_about(self, conversation: Conversation | str, *, what: str = "messages") -> None:
        """Let watchers know that a conversation changed."""
        channel = conversation if isinstance(conversation, str) else conversation.id
        self.journal.tell({"what": what, "channel": channel})


def read_metadata(value: Any) -> Json:
    """Return message metadata; raises SlackError unless it has Slack's two fields."""
    metadata = parsed(value, otherwise="invalid_metadata_format")
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not metadata:
        return {}
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if not metadata["event_type"] or metadata.keys() - {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_schema")
    return metadata
