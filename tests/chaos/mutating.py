"""Requests as Slack sends them, damaged: seeded, so that a number names one of them for good."""

import json
import random
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from slack_sandbox.outbound import FORM, signature
from slack_sandbox.wire import Json

JSON = "application/json"
WEIRD: tuple[Any, ...] = (
    None, True, 0, -1, 7, 1e308, 10**30, "", " ", "x", "x" * 70_000, "\0", "\ud800", "🤠" * 500, "<!channel>", "‮",
    "'; --", "H-99999999999999999999", "{", "[]", [], {}, [None], [[]], {"id": 7}, {"": ""}, [{"value": None}],
)  # fmt: skip
PLACES_CHANGED_AT_MOST = 3


def damaged(number: int, recorded: list[Json]) -> tuple[bytes, str]:
    """Return the body and content type of the request with this number."""
    chance = random.Random(number)
    payload: Json = json.loads(json.dumps(chance.choice(recorded)))
    if "trigger_id" in payload and chance.random() < 0.8:
        payload["trigger_id"] = f"1.2.{number}"  # else it is a replay, and goes no further than the first
    for _ in range(chance.randint(0, PLACES_CHANGED_AT_MOST)):
        chance.choice(CHANGES)(chance, payload)
    return _sent(chance, payload)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every list or object inside, with each of its keys."""
    found: list[tuple[Any, Any]] = []
    left = [value]
    while left:
        one = left.pop()
        for key, inner in one.items() if isinstance(one, dict) else enumerate(one):
            found.append((one, key))
            if isinstance(inner, dict | list):
                left.append(inner)
    return found


def _replace(chance: random.Random, payload: Json) -> None:
    if places := _places(payload):
        holder, key = chance.choice(places)
        holder[key] = chance.choice(WEIRD)


def _remove(chance: random.Random, payload: Json) -> None:
    if places := _places(payload):
        holder, key = chance.choice(places)
        del holder[key]


def _wrap(chance: random.Random, payload: Json) -> None:
    if places := _places(payload):
        holder, key = chance.choice(places)
        levels = chance.choice((1, 2, 60, 70, 2000))
        for _ in range(levels):
            holder[key] = [holder[key]] if chance.random() < 0.5 else {"a": holder[key]}


def _move(chance: random.Random, payload: Json) -> None:
    if places := _places(payload):
        (one, key), (other, place) = chance.choice(places), chance.choice(places)
        one[key] = json.loads(_dumped(other[place]))


def _add(chance: random.Random, payload: Json) -> None:
    payload[chance.choice(("authorizations", "enterprise", "event", "command", "view", "user", "actions", "type"))] = (
        chance.choice(WEIRD)
    )


CHANGES: tuple[Callable[[random.Random, Json], None], ...] = (_replace, _replace, _remove, _wrap, _move, _add)


def _sent(chance: random.Random, payload: Json) -> tuple[bytes, str]:
    text = _dumped(payload)
    if chance.random() < 0.05:
        text = text.replace("{", '{"type":"event_callback",', 1)  # a key that is there twice
    is_form = "event" not in payload if chance.random() < 0.9 else chance.random() < 0.5
    if is_form and "command" in payload:
        body = urlencode(
            {key: one if isinstance(one, str) else _dumped(one) for key, one in payload.items()}, errors="replace"
        ).encode()
    elif is_form:
        body = urlencode({"payload": text}).encode()
    else:
        body = text.encode()
    if chance.random() < 0.1:
        body = _damaged_bytes(chance, body)
    usual = FORM if is_form else JSON
    return body, chance.choice((usual, usual, usual, usual, "text/plain", "", JSON, "multipart/form-data; boundary=x"))


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:  # deeper than Python writes
        return '{"type":"block_actions","user":' + "[" * 500 + "]" * 500 + "}"


def _damaged_bytes(chance: random.Random, body: bytes) -> bytes:
    return chance.choice(
        (
            body[: chance.randrange(len(body) + 1)],
            body + body,
            body.decode().encode("utf-16"),
            chance.randbytes(200),
            b"[" * 200_000,
            body + b" " * 999_000,
            b"payload=" + b"9" * 10_000,
        )
    )


def unsigned(number: int, body: bytes, secret: str) -> dict[str, str]:
    """Return headers that prove nothing, of whatever kind."""
    real = signature(secret, body)
    stamp, proof = "X-Slack-Request-Timestamp", "X-Slack-Signature"
    kinds: tuple[dict[str, str], ...] = (
        {},
        {stamp: real[stamp]},
        {proof: real[proof]},
        signature("guessed", body),
        signature(secret, body + b"&"),
        {**real, stamp: str(int(real[stamp]) - 301)},
        {**real, stamp: "soon"},
        {**real, proof: "v0="},
        {**real, proof: real[proof].upper()},
        {**real, proof: f"v0={secrets.token_hex(32)}"},
    )
    return kinds[number % len(kinds)]
