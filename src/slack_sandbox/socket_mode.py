"""Socket Mode: the links that an app opens, and what Slack sends over them.

Source: docs.slack.dev/apis/events-api/using-socket-mode. What it leaves open is taken strictly here: an ack counts on
the link that its envelope came by, and an envelope whose link ends before is as good as not delivered.
"""

import asyncio
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from slack_sandbox.wire import Json, PersonError, SlackError

LINE = "slack_sandbox.line"  # where serving puts the connection below a link
MOST_LINKS = 10
REFRESH_SECONDS = 10.0
CONNECTION_SECONDS = 18_060


class LinkClosedError(Exception):  # what happened to a link
    """Raised when no link is open, or the one that was used ended before its ack."""


class Trouble(StrEnum):
    """What can happen to links."""

    WARN = "warn"  # Slack will close it soon
    REFRESH = "refresh"  # Slack closes it, once what runs is acknowledged
    DROP = "drop"  # the network loses it
    FREEZE = "freeze"  # it stays open, and nothing comes through: no ack, no pong
    DISABLE = "disable"  # Socket Mode is switched off


@dataclass(slots=True, eq=False)
class Link:
    """One connection. waiting: for acks, by envelope id."""

    socket: WebSocket
    waiting: dict[str, "asyncio.Future[Json]"] = field(default_factory=dict)
    takes_more: bool = True

    @property
    def line(self) -> asyncio.Transport:
        """The connection itself."""
        line: asyncio.Transport = self.socket.scope[LINE]()
        return line

    async def tell(self, message: Json) -> None:
        """Send something."""
        await self.socket.send_text(json.dumps(message))


class SocketMode:
    """The links of the one app, and the tickets for new ones."""

    def __init__(self, *, base_url: str, app_id: str) -> None:
        self._address = base_url.replace("http", "ws", 1)
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._links: list[Link] = []
        self._used = 0

    def new_url(self) -> str:
        """Return an address that opens one link."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return f"{self._address}/link/?ticket={ticket}&app_id={self._app_id}"

    @property
    def open_links(self) -> int:
        """How many links take requests."""
        return sum(link.takes_more for link in self._links)

    async def send(self, kind: str, payload: Json, *, accepts_payload: bool, **more: object) -> Json:
        """Send an envelope by one of the links; return the payload of its ack, empty if it has none.

        Raises LinkGone. Each link is used in turn; Slack promises no order at all.
        """
        open_links = [link for link in self._links if link.takes_more]
        if not open_links:
            raise LinkClosedError
        self._used += 1
        link = open_links[self._used % len(open_links)]
        envelope_id = str(uuid.uuid4())
        waiting = link.waiting[envelope_id] = asyncio.get_running_loop().create_future()
        envelope = {"envelope_id": envelope_id, "payload": payload, "type": kind}
        try:
            await link.tell({**envelope, "accepts_response_payload": accepts_payload, **more})
            answer = await waiting
        except (RuntimeError, WebSocketDisconnect) as problem:  # it closed meanwhile
            raise LinkClosedError from problem
        finally:
            link.waiting.pop(envelope_id, None)
        return answer if accepts_payload else {}

    async def trouble(self, kind: str, *, count: int | None = None) -> None:
        """Let something happen to the oldest links; count: to so many, None for all. Raises PersonError."""
        if kind not in set(Trouble):
            reason = f"A link can {', '.join(Trouble)}."
            raise PersonError(reason)
        for link in [link for link in self._links if link.takes_more][:count]:
            if kind == Trouble.DROP:
                link.line.abort()
            elif kind == Trouble.FREEZE:
                link.line.pause_reading()
            elif kind == Trouble.WARN:
                await link.tell(_disconnect("warning"))
            else:
                link.takes_more = False
                await link.tell(_disconnect("link_disabled" if kind == Trouble.DISABLE else "refresh_requested"))
                if link.waiting:
                    await asyncio.wait(link.waiting.values(), timeout=REFRESH_SECONDS)
                await link.socket.close()

    def route(self, *, is_enabled: Callable[[], bool]) -> WebSocketRoute:
        """Return where links are opened. is_enabled: whether Socket Mode is switched on for the app."""

        async def link(socket: WebSocket) -> None:
            ticket = socket.query_params.get("ticket", "")
            if ticket not in self._tickets:
                await socket.close()
                return
            self._tickets.remove(ticket)
            await socket.accept()
            refused = "too_many_websockets" if len(self._links) >= MOST_LINKS else None
            refused = refused if is_enabled() else "link_disabled"
            if refused:
                await socket.send_text(json.dumps(_disconnect(refused)))
                await socket.close()
            else:
                await self._serve(Link(socket))

        return WebSocketRoute("/link/", link)

    async def _serve(self, link: Link) -> None:
        self._links.append(link)
        try:
            await link.tell(
                {
                    "type": "hello",
                    "num_connections": len(self._links),
                    "debug_info": {"host": "sandbox", "approximate_connection_time": CONNECTION_SECONDS},
                    "connection_info": {"app_id": self._app_id},
                }
            )
            async for text in link.socket.iter_text():
                _take_ack(link, text)
        finally:
            link.takes_more = False
            self._links.remove(link)
            for waiting in link.waiting.values():
                if not waiting.done():
                    waiting.set_exception(LinkClosedError())


def _take_ack(link: Link, text: str) -> None:
    try:
        ack = json.loads(text)
        waiting = link.waiting.get(str(ack["envelope_id"]))
        payload = ack.get("payload") or {}
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # Slack takes no notice of what is no ack
    if waiting is not None and not waiting.done():
        waiting.set_result(payload if isinstance(payload, dict) else {})


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}


def require_app_token(token: str | None, *, app_token: str) -> None:
    """Raise SlackError unless this is the app-level token, which is the only one that opens links."""
    if token != app_token:
        raise SlackError("not_allowed_token_type" if token else "not_authed")
