"""A client of the control API: acts as people, looks at what they see, and makes trouble."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from slack_sandbox.certificates import trusted
from slack_sandbox.faults import FaultKind
from slack_sandbox.socket_mode import Trouble
from slack_sandbox.wire import Json

T = TypeVar("T")
POLL_SECONDS = 0.02
WAIT_SECONDS = 10.0
HTTP_SECONDS = 30.0  # longer than an app may take to answer
MOVE_SECONDS = 600.0  # months may pass
_LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""The sandbox closes a connection that nobody used for 5 s; one that is used just then would be lost."""


class NotPossibleError(Exception):  # says what a person cannot do
    """A person can't do this in Slack: no such button, channel, field or option."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an act ended.

    ok: the app answered 2xx in time, or there was nothing to ask it.
    error: "operation_timeout", "dispatch_failed", "http_client_error", "http_service_error", "not_filled_in", or
        Slack's word for an answer it did not take. errors: block id -> what the form says below the field.
    """

    ok: bool
    status: int | None
    elapsed_ms: int
    error: str | None
    errors: dict[str, str] = field(default_factory=dict)
    ts: str | None = None  # of the message a person wrote
    details: Json = field(default_factory=dict)


class SandboxClient:
    """Speaks to a running sandbox."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=HTTP_SECONDS, trust_env=False, verify=trusted(), limits=_LIMITS)
        self.faults = FaultsClient(self)
        self.links = LinksClient(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def person(self, user_id: str) -> "Person":
        """Return someone to act as."""
        return Person(self, user_id)

    def workspace(self) -> Json:
        """Return the team, its people, channels and commands."""
        return self.see("workspace")

    def calls(self, *, limit: int = 100) -> list[Json]:
        """Return the last requests both ways, oldest first."""
        calls: list[Json] = self.see("calls", limit=str(limit))["calls"]
        return calls

    def now(self) -> datetime:
        """Return the time people read on the page."""
        return datetime.fromisoformat(self.see("clock")["now"])

    def move_to(self, moment: datetime) -> None:
        """Move the app's clock forward, with everything that happens on the way."""
        self.request("POST", "clock", json={"to": moment.isoformat()}, timeout=MOVE_SECONDS)

    def set_curtain(self, words: str) -> None:
        """Let the page say this, and keep its visitors from acting, until there are no words."""
        self.request("POST", "curtain", json={"words": words})

    def invite_bot(self, channel: str, *, inviter: str | None = None) -> Outcome:
        """Let the bot into a channel."""
        return self.act("join", user="bot", channel=channel, inviter=inviter)

    def send_event(self, event: Json) -> Outcome:
        """Send the app any event it subscribed to."""
        return self.act("event", event=event)

    def wait_for(self, condition: Callable[[], T], *, timeout_seconds: float = WAIT_SECONDS) -> T:
        """Return what `condition` gives as soon as that is true; raises TimeoutError after `timeout_seconds`."""
        deadline = time.monotonic() + timeout_seconds
        while not (result := condition()):
            if time.monotonic() > deadline:
                message = f"Still not so after {timeout_seconds:.0f} s."
                raise TimeoutError(message)
            time.sleep(POLL_SECONDS)
        return result

    def act(self, verb: str, **arguments: Any) -> Outcome:
        """Do something; raises NotPossibleError where Slack's screens would not offer it."""
        given = {key: value for key, value in arguments.items() if value is not None}
        answer = self.request("POST", verb, json=given)
        return Outcome(**{key: value for key, value in answer.items() if key in Outcome.__dataclass_fields__})

    def see(self, sight: str, **arguments: str) -> Json:
        """Look at something."""
        return self.request("GET", sight, params=arguments)

    def request(self, http_method: str, path: str, **more: Any) -> Json:
        """Call the control API; raises NotPossibleError with its words on a 400."""
        response = self._http.request(http_method, f"/sandbox/{path}", **more)
        if response.status_code == httpx.codes.BAD_REQUEST:
            raise NotPossibleError(response.json()["error"])
        response.raise_for_status()
        answer: Json = response.json()
        return answer


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of the workspace."""

    client: SandboxClient
    id: str

    def command(self, command: str, text: str = "", *, channel: str | None = None) -> Outcome:
        """Type a slash command.

        channel: where; None is the first channel shared with the bot, as everywhere here.
        """
        return self.client.act(
            "command", user=self.id, channel=channel or self.usual_channel(), command=command, text=text
        )

    def say(self, text: str, *, channel: str | None = None, thread: str | None = None) -> Outcome:
        """Write a message."""
        return self.client.act(
            "say", user=self.id, channel=channel or self.usual_channel(), text=text, thread_ts=thread
        )

    def click(self, message: Json, *, action_id: str, block_id: str | None = None, option: Any = None) -> Outcome:
        """Press a button in a message from `messages`, or choose an option's value there."""
        return self.client.act(
            "click",
            user=self.id,
            channel=message["channel"],
            ts=message["ts"],
            action_id=action_id,
            block_id=block_id,
            option=option,
        )

    def click_in_view(
        self,
        *,
        action_id: str,
        block_id: str | None = None,
        option: Any = None,
        values: Json | None = None,
        view: Json | None = None,
    ) -> Outcome:
        """Press a button or use an element in a view.

        values: what is filled in so far. view: None is the top form, or the Home tab when no form is open.
        """
        shown = view or self.find_view() or self.home()
        if shown is None:
            reason = f"{self.id} sees no view."
            raise NotPossibleError(reason)
        return self.client.act(
            "view_click",
            user=self.id,
            view_id=shown["id"],
            action_id=action_id,
            block_id=block_id,
            option=option,
            values=values,
        )

    def submit(self, values: Json | None = None, *, view: Json | None = None) -> Outcome:
        """Fill in and submit the top form; values: block id -> text, option value, list, number or None."""
        return self.client.act("submit", user=self.id, view_id=(view or self.view)["id"], values=values or {})

    def close(self, *, view: Json | None = None) -> Outcome:
        """Close the top form."""
        return self.client.act("close", user=self.id, view_id=(view or self.view)["id"])

    def shortcut(self, callback_id: str, *, message: Json | None = None) -> Outcome:
        """Choose a shortcut, of a message or a global one."""
        place = {"channel": message["channel"], "ts": message["ts"]} if message else {}
        return self.client.act("shortcut", user=self.id, callback_id=callback_id, **place)

    def mark_read(self, channel: str) -> None:
        """Look at a channel: nothing in it is unread any more."""
        self.client.act("read", user=self.id, channel=channel)

    def join(self, channel: str) -> Outcome:
        """Join a channel."""
        return self.client.act("join", user=self.id, channel=channel)

    def leave(self, channel: str) -> Outcome:
        """Leave a channel."""
        return self.client.act("leave", user=self.id, channel=channel)

    def archive(self, channel: str) -> Outcome:
        """Archive a channel."""
        return self.client.act("archive", user=self.id, channel=channel)

    def deactivate(self) -> Outcome:
        """Lose one's account."""
        return self.client.act("deactivate", user=self.id)

    def open_home(self) -> Outcome:
        """Open the app's Home tab."""
        return self.client.act("open_home", user=self.id)

    def upload(self, name: str, content: bytes) -> str:
        """Return the id of a file put up for a form's file input."""
        body = {"user": self.id, "name": name, "content_base64": base64.b64encode(content).decode()}
        file_id: str = self.client.request("POST", "files", json=body)["file"]["id"]
        return file_id

    def messages(self, channel: str | None = None, *, thread: str | None = None) -> list[Json]:
        """Return what the person sees in a channel or thread, oldest first, private messages included."""
        place = {"thread_ts": thread} if thread else {}
        seen = self.client.see("messages", user=self.id, channel=channel or self.usual_channel(), **place)
        messages: list[Json] = seen["messages"]
        return messages

    def direct_messages(self, *, thread: str | None = None) -> list[Json]:
        """Return the direct messages between the person and the bot, oldest first."""
        direct = next(conversation for conversation in self.conversations() if conversation["is_im"])
        return self.messages(direct["id"], thread=thread)

    def conversations(self) -> list[Json]:
        """Return the person's channels and direct messages."""
        conversations: list[Json] = self.client.see("conversations", user=self.id)["conversations"]
        return conversations

    def views(self) -> list[Json]:
        """Return the person's open forms, the top one last."""
        views: list[Json] = self.client.see("views", user=self.id)["views"]
        return views

    def find_view(self) -> Json | None:
        """Return the top form."""
        views = self.views()
        return views[-1] if views else None

    @property
    def view(self) -> Json:
        """The top form; raises NotPossibleError when none is open."""
        view = self.find_view()
        if view is None:
            reason = f"{self.id} has no form open."
            raise NotPossibleError(reason)
        return view

    def home(self) -> Json | None:
        """Return the Home tab, None before the app published one."""
        view: Json | None = self.client.see("home", user=self.id)["view"]
        return view

    def usual_channel(self) -> str:
        """Return the first channel the person shares with the bot, archived ones aside."""
        for conversation in self.conversations():
            if conversation["has_bot"] and not conversation["is_im"] and not conversation["is_archived"]:
                return str(conversation["id"])
        reason = f"{self.id} shares no channel with the bot."
        raise NotPossibleError(reason)


@dataclass(frozen=True, slots=True)
class LinksClient:
    """The links of Socket Mode, and trouble for them."""

    client: SandboxClient

    def count(self) -> int:
        """Return how many are open."""
        return int(self.client.see("links")["open"])

    def trouble(self, kind: Trouble | str, *, count: int | None = None) -> None:
        """Let this happen to the oldest `count` links, to all unless given."""
        self.client.request("POST", "links", json={"kind": Trouble(kind).value, "count": count})


@dataclass(frozen=True, slots=True)
class FaultsClient:
    """Makes trouble in the sandbox's Slack."""

    client: SandboxClient

    def add(self, method: str, kind: FaultKind | str, *, times: int | None = 1, seconds: float = 1.0) -> None:
        """Ask for trouble with the next calls of a Web API method, of "response_url", or of any ("*").

        times: None is until released. seconds: how slow, what Retry-After says, or by how much the history lags.
        """
        body = {"method": method, "kind": FaultKind(kind).value, "times": times, "seconds": seconds}
        self.client.request("POST", "faults", json=body)

    def held(self) -> int:
        """Return how many calls are held right now."""
        return int(self.client.see("faults")["held"])

    def release(self) -> None:
        """Let go of held calls and forget the trouble that has not come yet."""
        self.client.request("DELETE", "faults")
