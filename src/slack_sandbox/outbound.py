"""Requests toward the app, signed as Slack signs them, with Slack's patience."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from slack_sandbox.certificates import trusted
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.socket_mode import LinkClosedError
from slack_sandbox.wire import Json

FORM = "application/x-www-form-urlencoded"
HTTP_TIMEOUT = "http_timeout"
ANSWERED_IN_ACK = ("view_submission", "block_suggestion")
"""Interactions whose ack over Socket Mode may carry an answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How the app took a request.

    error: None when it answered 2xx in time, else the word Slack shows people.
    status: None when no answer came.
    """

    status: int | None
    elapsed_ms: int
    error: str | None
    body: str = ""
    is_retry_wanted: bool = True

    @property
    def ok(self) -> bool:
        """Whether the app answered 2xx in time."""
        return self.error is None

    def shown(self) -> Json:
        """Return what the control API tells about it."""
        return {"ok": self.ok, "status": self.status, "elapsed_ms": self.elapsed_ms, "error": self.error}


NOTHING_SENT = Reply(status=None, elapsed_ms=0, error=None)


class AppLink:
    """The line to the app; made inside the event loop that uses it."""

    def __init__(self, slack: LocalSlack) -> None:
        self._slack = slack
        # A fresh connection each time: an app that was killed and started again must not meet a stale one.
        fresh = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.AsyncClient(
            trust_env=False, verify=trusted(), timeout=slack.timing.ack_seconds, limits=fresh
        )
        self._retries: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up retries and close the line."""
        for retry in self._retries:
            retry.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
        await self._http.aclose()

    async def send_command(self, fields: dict[str, str]) -> Reply:
        """Send a slash command."""
        if self._slack.is_socket_mode:
            return await self._send_by_link(fields["command"], "slash_commands", fields, accepts_payload=True)
        return await self._send(fields["command"], urlencode(fields).encode(), content_type=FORM, shown=fields)

    async def send_interaction(self, payload: Json) -> Reply:
        """Send a click, a form or a shortcut."""
        if self._slack.is_socket_mode:
            accepts = payload["type"] in ANSWERED_IN_ACK
            return await self._send_by_link(payload["type"], "interactive", payload, accepts_payload=accepts)
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return await self._send(payload["type"], body, content_type=FORM, shown=payload)

    async def send_event(self, event: Json) -> Reply:
        """Send an event, if the app subscribed to it; return its first reply while retries go on behind."""
        if subscription(event) not in self._slack.workspace.events:
            return NOTHING_SENT
        workspace = self._slack.workspace
        body: Json = {
            "token": verification_token(self._slack),
            "team_id": workspace.team.id,
            "api_app_id": workspace.bot.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": "Ev" + secrets.token_hex(5).upper(),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.team.id,
                    "user_id": workspace.bot.user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        reply = await self._send_event_once(body)
        if not reply.ok and reply.is_retry_wanted:
            retry = asyncio.create_task(self._retry_event(body, first=reply))
            self._retries.add(retry)
            retry.add_done_callback(self._retries.discard)
        return reply

    async def _retry_event(self, body: Json, *, first: Reply) -> None:
        reply = first
        for number, seconds in enumerate(self._slack.timing.event_retry_seconds, start=1):
            await asyncio.sleep(seconds)
            reason = HTTP_TIMEOUT if reply.error == "operation_timeout" else "http_error"
            reason = "connection_failed" if reply.error == "dispatch_failed" else reason
            reply = await self._send_event_once(body, attempt=number, reason=reason)
            if reply.ok or not reply.is_retry_wanted:
                return

    async def _send_event_once(self, body: Json, *, attempt: int = 0, reason: str = "") -> Reply:
        kind = f"event:{body['event']['type']}"
        if self._slack.is_socket_mode:
            return await self._send_by_link(
                kind,
                "events_api",
                body,
                accepts_payload=False,
                retry_attempt=attempt,
                retry_reason="timeout" if attempt else "",
            )
        headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else None
        return await self._send(
            kind, json.dumps(body).encode(), content_type="application/json", shown=body, headers=headers
        )

    async def _send_by_link(
        self, kind: str, envelope: str, payload: Json, *, accepts_payload: bool, **more: object
    ) -> Reply:
        started = time.monotonic()
        error, text = None, ""
        try:
            async with asyncio.timeout(self._slack.timing.ack_seconds):
                answer = await self._slack.socket_mode.send(envelope, payload, accepts_payload=accepts_payload, **more)
            text = json.dumps(answer) if answer else ""
        except TimeoutError:
            error = "operation_timeout"
        except LinkClosedError:
            error = "dispatch_failed"
        elapsed_ms = round((time.monotonic() - started) * 1000)
        status = 200 if error is None else None
        self._slack.journal.record(
            "to_app",
            method=kind,
            status=status,
            elapsed_ms=elapsed_ms,
            error=error,
            payload=payload,
            answer=text or None,
        )
        return Reply(status=status, elapsed_ms=elapsed_ms, error=error, body=text)

    async def _send(
        self, kind: str, body: bytes, *, content_type: str, shown: Json, headers: dict[str, str] | None = None
    ) -> Reply:
        started = time.monotonic()
        status, error, text, is_retry_wanted = None, None, "", True
        try:
            async with asyncio.timeout(self._slack.timing.ack_seconds):
                answer = await self._http.post(
                    self._slack.app_url or "",
                    content=body,
                    headers={
                        "Content-Type": content_type,
                        **signature(self._slack.signing_secret, body),
                        **(headers or {}),
                    },
                )
            status, text = answer.status_code, answer.text
            error = _error_of(status)
            is_retry_wanted = answer.headers.get("x-slack-no-retry") != "1"
        except (TimeoutError, httpx.TimeoutException):
            error = "operation_timeout"
        except (httpx.HTTPError, httpx.InvalidURL):
            error = "dispatch_failed"
        elapsed_ms = round((time.monotonic() - started) * 1000)
        self._slack.journal.record(
            "to_app", method=kind, status=status, elapsed_ms=elapsed_ms, error=error, payload=shown, answer=text or None
        )
        return Reply(status=status, elapsed_ms=elapsed_ms, error=error, body=text, is_retry_wanted=is_retry_wanted)


def signature(signing_secret: str, body: bytes) -> dict[str, str]:
    """Return the headers that prove a request is from Slack.

    Source: docs.slack.dev/authentication/verifying-requests-from-slack, version v0.
    """
    stamp = str(int(time.time()))
    digest = hmac.new(signing_secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def verification_token(slack: LocalSlack) -> str:
    """Return the old-style token that payloads still carry."""
    return "verification-" + hashlib.sha256(slack.signing_secret.encode()).hexdigest()[:16]


def subscription(event: Json) -> str:
    """Return the name an app subscribes to for this event: messages are split by the kind of conversation."""
    if event["type"] != "message":
        return str(event["type"])
    return "message." + {"channel": "channels", "group": "groups", "im": "im"}[event["channel_type"]]


def _error_of(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    return "http_service_error" if status >= 500 else "http_client_error"
