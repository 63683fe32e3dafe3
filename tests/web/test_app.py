"""The door: what Slack did not sign goes no further, and nothing that comes in can hurt."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import pytest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette

from journeys.playing import ending_together, served
from labcoat.slack.incoming.payloads import Kind, Payload
from labcoat.web import app as web_app

SECRET = "a secret of the tests"
TYPED = b"command=%2Fhypothesis&team_id=T1&user_id=U1&channel_id=C1"


@dataclass
class Door:
    """A client of the endpoint, and what came through it."""

    client: httpx.Client
    taken: list[tuple[Payload, str]]

    def post(self, body: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/slack/events", content=body, headers=named).status_code


@pytest.fixture
def door() -> Iterator[Door]:
    with a_door(SECRET) as made:
        yield made


@contextmanager
def a_door(secret: str | None) -> Iterator[Door]:
    taken: list[tuple[Payload, str]] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield

    async def handle(payload: Payload, transport_key: str) -> BoltResponse:
        taken.append((payload, transport_key))
        return BoltResponse(status=200, body={"text": "taken"})

    app = web_app.build(signing_secret=secret, handle=handle, lifespan=lifespan)
    with (
        ending_together() as threads,
        served(app, threads) as url,
        httpx.Client(base_url=url, timeout=10, trust_env=False, verify=False) as client,
    ):
        yield Door(client, taken)


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    stamp = str(int(at or time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    assert signature is not None
    return {"x_slack_request_timestamp": stamp, "x_slack_signature": signature}


def test_signed_request_is_taken_with_a_key_of_its_own(door: Door) -> None:
    headers = signed(TYPED)

    assert door.post(TYPED, **headers) == 200
    (payload, key), *others = door.taken
    assert (payload.kind, payload.user, key, others) == (Kind.COMMAND, "U1", headers["x_slack_signature"], [])


def test_without_a_signing_secret_nothing_is_taken_over_http() -> None:
    with a_door(None) as door:
        assert door.post(TYPED, x_slack_signature="v0=", x_slack_request_timestamp="1") == 404
        assert door.client.get("/healthz").text == "ok"
    assert door.taken == []


def test_unsigned_request_is_refused(door: Door) -> None:
    assert door.post(TYPED) == 401
    assert door.taken == []


def test_request_signed_with_another_secret_is_refused(door: Door) -> None:
    assert door.post(TYPED, **signed(TYPED, secret="guessed")) == 401
    assert door.taken == []


def test_request_whose_body_was_changed_is_refused(door: Door) -> None:
    assert door.post(TYPED + b"&text=more", **signed(TYPED)) == 401
    assert door.taken == []


def test_request_signed_six_minutes_ago_is_refused(door: Door) -> None:
    assert door.post(TYPED, **signed(TYPED, at=time.time() - 360)) == 401
    assert door.taken == []


@pytest.mark.parametrize(
    "headers",
    [
        {"x_slack_request_timestamp": "soon", "x_slack_signature": "v0=0"},
        {"x_slack_request_timestamp": "", "x_slack_signature": ""},
        {"x_slack_request_timestamp": str(10**400), "x_slack_signature": "v0=0"},
    ],
    ids=["no number", "empty", "endless"],
)
def test_headers_that_slack_never_sends_are_refused(door: Door, headers: dict[str, str]) -> None:
    assert door.post(TYPED, **headers) == 401


def test_signature_that_is_not_ascii_is_refused(door: Door) -> None:
    stamp = str(int(time.time()))
    headers = {b"x-slack-request-timestamp": stamp.encode(), b"x-slack-signature": "v0=ü".encode("latin-1")}

    answer = door.client.post("/slack/events", content=TYPED, headers=headers)

    assert answer.status_code == 401


def test_body_that_is_not_text_is_refused(door: Door) -> None:
    headers = {"x_slack_request_timestamp": str(int(time.time())), "x_slack_signature": "v0=0"}

    assert door.post(b"\xff\xfe\x00", **headers) == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"type":"event_callback","event":' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"type":"event_callback","event":{"type":"member_joined_channel","user":7}}',
        b'{"type":"view_submission","user":{"id":"U1"},"view":{"blocks":"none"}}',
        b"payload=" + b"9" * 5000,
        b"payload=NaN",
        b"command=%2Fhypothesis",
        b"&".join(b"f%d=1" % number for number in range(101)),
        b'{"type":"url_verification","challenge":"\\u0000"}',
        b'{"type":"url_verification","challenge":"\\ud800"}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_signed_request_that_slack_never_sends_is_refused(door: Door, body: bytes) -> None:
    assert door.post(body, content_type="application/json" if body[:1] in b"{[" else "", **signed(body)) == 400
    assert door.taken == []


@pytest.mark.parametrize("body", [b"", b"ssl_check=1&token=x", b'{"type":"app_rate_limited"}', b'{"type":["command"]}'])
def test_signed_request_that_nobody_listens_to_is_taken(door: Door, body: bytes) -> None:
    assert door.post(body, **signed(body)) == 200
    assert door.taken[0][0].kind is Kind.OTHER


def test_body_of_more_than_a_megabyte_is_refused_before_it_is_read(door: Door) -> None:
    body = b"x" * (web_app.LARGEST_BODY + 1)

    assert door.post(body, **signed(body)) == 413
    assert door.taken == []


def test_largest_body_is_taken(door: Door) -> None:
    body = b"x" * web_app.LARGEST_BODY

    assert door.post(body, **signed(body)) == 200


def test_large_body_without_a_length_is_refused_too(door: Door) -> None:
    pieces = (b"x" * 100_000 for _ in range(11))

    assert door.client.post("/slack/events", content=pieces).status_code == 413


def test_health_says_ok_to_anybody(door: Door) -> None:
    assert door.client.get("/healthz").text == "ok"


@pytest.mark.parametrize("path", ["/demo/clock", "/", "/slack", "/slack/events"])
def test_nothing_else_is_served(door: Door, path: str) -> None:
    assert door.client.get(path).status_code in (404, 405)
