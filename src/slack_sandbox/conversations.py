"""Channels, direct messages and what was said in them, in memory."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from slack_sandbox.wire import Json
from slack_sandbox.workspace import Workspace

MENTION = re.compile(r'(?:<@|"user_id": ")(\w+)')  # in mrkdwn, and in rich text


@dataclass(slots=True)
class Conversation:
    """A channel, or the direct messages between one person and the app."""

    id: str
    name: str
    members: list[str]
    created: int
    with_user: str | None = None  # set for direct messages
    is_archived: bool = False
    is_private: bool = False
    messages: list[Json] = field(default_factory=list)  # in order of ts

    @property
    def kind(self) -> str:
        """The word scopes and events use: channels, groups or im."""
        if self.with_user:
            return "im"
        return "groups" if self.is_private else "channels"

    def find(self, ts: str) -> Json | None:
        """Return the message with this ts."""
        return next((message for message in self.messages if message["ts"] == ts), None)

    def replies(self, ts: str) -> list[Json]:
        """Return the replies to a message, oldest first."""
        return [message for message in self.messages if message.get("thread_ts") == ts and message["ts"] != ts]

    def top_level(self) -> list[Json]:
        """Return what stands in the channel itself: no replies, but replies also sent to the channel."""
        return [
            message
            for message in self.messages
            if not is_reply(message) or message.get("subtype") == "thread_broadcast"
        ]


@dataclass(frozen=True, slots=True)
class Whisper:
    """A message only one person sees."""

    user: str
    channel: str
    message: Json


def is_reply(message: Json) -> bool:
    """Return whether the message hangs below another."""
    return message.get("thread_ts") not in (None, message["ts"])


class Conversations:
    """Every conversation of the workspace, and the clock that stamps their messages."""

    def __init__(
        self, workspace: Workspace, *, now: Callable[[], float] = time.time, shown_now: Callable[[], float] = time.time
    ) -> None:
        self._workspace = workspace
        self._now = now
        self._shown_now = shown_now
        self._last_micros = 0
        self._shown_at: dict[str, float] = {}
        self._read: dict[tuple[str, str], str] = {}
        self.revision = 0
        self._changes: dict[tuple[str, str], int] = {}
        self._mentions: dict[tuple[str, str], tuple[int, frozenset[str]]] = {}  # as of a revision
        self.whispers: list[Whisper] = []
        self._by_id = {
            channel.id: Conversation(
                id=channel.id,
                name=channel.name,
                members=list(channel.members),
                created=int(now()),
                is_archived=channel.is_archived,
                is_private=channel.is_private,
            )
            for channel in workspace.channels
        }

    def next_ts(self) -> str:
        """Return a stamp later than every one before it: ts is a message's identity."""
        self._last_micros = max(int(self._now() * 1e6), self._last_micros + 1)
        ts = f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"
        self._shown_at[ts] = self._shown_now()
        return ts

    def stamped(self) -> int:
        """Return how many stamps there are, for `stamp_anew`."""
        return len(self._shown_at)

    def stamp_anew(self, *, after: int) -> None:
        """Give the stamps after the first so many the time people read now: the app's clock has moved there."""
        late = set(list(self._shown_at)[after:])
        self._shown_at |= dict.fromkeys(late, self._shown_now())
        for channel, ts in list(self._changes):
            if ts in late:
                self.touch(channel, ts)

    def shown_at(self, ts: str) -> float:
        """Return the time people read beside a stamp: the app's own time, where it has a clock that can be moved."""
        return self._shown_at.get(ts, float(ts))

    def all(self) -> list[Conversation]:
        """Return every conversation that exists by now."""
        return list(self._by_id.values())

    def find(self, conversation_id: str) -> Conversation | None:
        """Return the conversation with this id."""
        return self._by_id.get(conversation_id)

    def direct(self, user_id: str) -> Conversation:
        """Return the direct messages between this person and the app, opened if need be."""
        conversation_id = "D" + user_id.removeprefix("U")
        if conversation_id not in self._by_id:
            self._by_id[conversation_id] = Conversation(
                id=conversation_id,
                name="directmessage",
                members=[user_id, self._workspace.bot.user_id],
                created=int(self._now()),
                with_user=user_id,
            )
        return self._by_id[conversation_id]

    def of_member(self, user_id: str) -> list[Conversation]:
        """Return the conversations this person (or the bot) is in."""
        return [conversation for conversation in self.all() if user_id in conversation.members]

    def add(self, conversation: Conversation, message: Json) -> Json:
        """Store a message and count it at its thread's parent."""
        conversation.messages.append(message)
        self.touch(conversation.id, message["ts"])
        self.count_replies(conversation, message.get("thread_ts"))
        return message

    def touch(self, channel: str, ts: str) -> None:
        """Note that a message came, changed or went, for those who ask what is new."""
        self.revision += 1
        self._changes[channel, ts] = self.revision

    def changed_since(self, revision: int, *, channel: str) -> frozenset[str]:
        """Return the stamps of what came, changed or went in a conversation after a revision."""
        return frozenset(ts for (where, ts), at in self._changes.items() if where == channel and at > revision)

    def mentions(self, user: str, channel: str, message: Json) -> bool:
        """Return whether a message names the person."""
        key = (channel, message["ts"])
        at = self._changes.get(key, 0)
        if self._mentions.get(key, (-1,))[0] != at:
            self._mentions[key] = (at, frozenset(MENTION.findall(json.dumps(message))))
        return user in self._mentions[key][1]

    def mark_read(self, user: str, conversation: Conversation) -> None:
        """Note that the person has seen everything in the conversation."""
        if conversation.messages:
            self._read[user, conversation.id] = conversation.messages[-1]["ts"]

    def unread(self, user: str, conversation: Conversation) -> list[Json]:
        """Return what others wrote in the conversation itself since the person last looked."""
        seen = self._read.get((user, conversation.id), "")
        return [one for one in conversation.top_level() if one["ts"] > seen and one["user"] != user]

    def remove(self, conversation: Conversation, ts: str) -> None:
        """Forget a message and correct its thread's counts."""
        gone = conversation.find(ts)
        if gone:
            conversation.messages.remove(gone)
            self.touch(conversation.id, ts)
            self.count_replies(conversation, gone.get("thread_ts"))

    def count_replies(self, conversation: Conversation, thread_ts: str | None) -> None:
        """Write reply counts on a parent, as Slack shows them in history."""
        parent = conversation.find(thread_ts) if thread_ts else None
        if parent is None or thread_ts is None:
            return
        self.touch(conversation.id, thread_ts)
        replies = conversation.replies(thread_ts)
        for key in ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"):
            parent.pop(key, None)
        if replies:
            people = list(dict.fromkeys(reply["user"] for reply in replies))
            parent |= {
                "thread_ts": thread_ts,
                "reply_count": len(replies),
                "reply_users": people,
                "reply_users_count": len(people),
                "latest_reply": replies[-1]["ts"],
            }

    def whisper(self, *, user: str, channel: str, message: Json) -> Whisper:
        """Show a message to one person only."""
        whisper = Whisper(user=user, channel=channel, message=message)
        self.whispers.append(whisper)
        self.touch(channel, message["ts"])
        return whisper

    def unwhisper(self, *, channel: str, ts: str) -> None:
        """Take a private message away."""
        self.whispers = [whisper for whisper in self.whispers if whisper.message["ts"] != ts]
        self.touch(channel, ts)

    def find_whisper(self, *, user: str, channel: str, ts: str) -> Whisper | None:
        """Return a private message by its stamp."""
        return next((w for w in self.whispers if (w.user, w.channel, w.message["ts"]) == (user, channel, ts)), None)
