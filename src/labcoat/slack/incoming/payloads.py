"""What Slack sends, read once at the edge: its text, its depth, and the shape that everything behind relies on.

Only what is known is passed on, so that nothing Bolt or a listener looks at can have a type they do not expect.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError

from labcoat.slack.incoming import payload_shapes as shapes

DEEPEST = 64
"""Levels of lists and objects; a view with rich text in it has about 15."""

LONGEST_KEY = 80
MOST_FIELDS = 100


class MalformedPayloadError(ValueError):  # says what a request is
    """Raised for what Slack never sends."""


class Kind(StrEnum):
    """What a request is about."""

    COMMAND = "command"
    CLICK = "block_actions"
    FORM = "view_submission"
    FORM_CLOSED = "view_closed"
    SHORTCUT = "shortcut"
    MESSAGE_SHORTCUT = "message_action"
    OPTIONS = "block_suggestion"
    EVENT = "event_callback"
    CHALLENGE = "url_verification"
    OTHER = "other"  # what no listener of ours asks for


ACTS = frozenset({Kind.COMMAND, Kind.CLICK, Kind.FORM, Kind.SHORTCUT, Kind.MESSAGE_SHORTCUT})
"""What a person does, and waits for an answer to."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A request of Slack, checked. body: only the fields that are known."""

    kind: Kind
    body: Mapping[str, Any]

    @property
    def user(self) -> str:
        """Who acted, "" where nobody did."""
        user = self.body.get("user") or self.body.get("user_id") or ""
        return str(user["id"]) if isinstance(user, dict) else str(user)

    @property
    def event(self) -> str:
        """The kind of an event, "" for what is none."""
        return str(self.body["event"]["type"]) if self.kind is Kind.EVENT else ""

    def key(self, transport_key: str) -> str:
        """Return what names this delivery however often and by whatever way it comes.

        transport_key: names one passage of it, for what has no name of its own.
        """
        if self.kind is Kind.EVENT:
            return _short(f"event {self.body['event_id']}")
        if self.kind in ACTS and self.body.get("trigger_id"):
            return _short(f"act {self.body['trigger_id']}")
        return _short(transport_key)


EVENTS: Mapping[str, type[shapes.Event]] = {
    "app_home_opened": shapes.Event,
    "member_joined_channel": shapes.JoinedEvent,
}
"""The events that are listened to, with their shape."""

_SHAPES: Mapping[Kind, type[shapes.Sent]] = {
    Kind.COMMAND: shapes.Command,
    Kind.CLICK: shapes.Click,
    Kind.FORM: shapes.Form,
    Kind.FORM_CLOSED: shapes.FormClosed,
    Kind.SHORTCUT: shapes.Shortcut,
    Kind.MESSAGE_SHORTCUT: shapes.MessageShortcut,
    Kind.OPTIONS: shapes.Options,
    Kind.CHALLENGE: shapes.Challenge,
}
_OF_TYPE: Mapping[str, Kind] = {kind.value: kind for kind in (Kind.EVENT, *_SHAPES) if kind is not Kind.COMMAND}


def read(body: bytes, content_type: str = "") -> Payload:
    """Return an HTTP request as JSON, or as a form with a JSON `payload`; raise MalformedPayloadError."""
    try:
        text = body.decode()
        if not text.startswith("{") and not content_type.startswith("application/json"):
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
            if "payload" not in fields:
                return check(fields)
            text = fields["payload"]
        return check(json.loads(text, parse_constant=_refuse_constant))
    except MalformedPayloadError:
        raise
    except (ValueError, RecursionError) as problem:
        raise MalformedPayloadError(type(problem).__name__) from problem


def check(value: object) -> Payload:
    """Return a payload; raise MalformedPayloadError if it is nested too deep or not shaped as Slack documents it."""
    if not isinstance(value, dict):
        raise MalformedPayloadError("no object")
    _require_harmless(value)
    kind = _kind(value)
    if kind is Kind.OTHER:
        return Payload(kind, {})
    shape = EVENTS[value["event"]["type"]] if kind is Kind.EVENT else _SHAPES[kind]
    try:
        shape.model_validate(value)
    except ValidationError as problem:
        where = ".".join(map(str, problem.errors(include_url=False, include_input=False)[0]["loc"]))
        msg = f"{kind}: {where}"
        raise MalformedPayloadError(msg) from problem
    body = _known(value, shape)
    if kind is Kind.EVENT:
        body["event"] = _known(body["event"], shape.model_fields["event"].annotation)
    return Payload(kind, body)


def _kind(value: Mapping[str, Any]) -> Kind:
    if "command" in value:
        return Kind.COMMAND
    said = value.get("type")
    kind = _OF_TYPE.get(said, Kind.OTHER) if isinstance(said, str) else Kind.OTHER
    if kind is not Kind.EVENT:
        return kind
    event = value.get("event")
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise MalformedPayloadError("event")
    return kind if event["type"] in EVENTS else Kind.OTHER


def _known(value: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    return {name: value[name] for name in shape.model_fields if name in value}


def _require_harmless(value: dict[str, Any]) -> None:
    """Raise MalformedPayloadError for what is deeper than Slack's deepest, and for text that no database can hold."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for one in level:
            for inner in (*one.keys(), *one.values()) if isinstance(one, dict) else one:
                if isinstance(inner, dict | list):
                    below.append(inner)
                elif isinstance(inner, str) and not _is_text(inner):
                    raise MalformedPayloadError("text")
        if not below:
            return
        level = below
    raise MalformedPayloadError("too deep")


def _is_text(text: str) -> bool:
    """Whether it can be stored and sent: PostgreSQL holds no NUL, and half of a surrogate pair has no UTF-8."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise MalformedPayloadError(name)


def _short(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
