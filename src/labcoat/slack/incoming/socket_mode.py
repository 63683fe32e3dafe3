"""Socket Mode: links that we open to Slack, by which it sends what it would send over HTTP.

Each link is kept up by a task: a link that Slack is about to close is followed by the next before it goes, and one that
broke, or answers no ping, is replaced. Whatever came by a link is answered by that link. Decision 35
says why this is not slack_sdk's client.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from anyio import to_thread
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError, SlackClientError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from labcoat.slack import web_client
from labcoat.slack.incoming import correlation_id, payloads
from labcoat.slack.incoming.payloads import MalformedPayloadError, Payload

_log = logging.getLogger(__name__)

Handle = Callable[[Payload, str], Awaitable[BoltResponse]]
"""Takes what Slack sent, and what names this delivery, so that a replay is known. It answers in Slack's time."""

LARGEST_MESSAGE = 2_000_000
PLANNED = ("warning", "refresh_requested")
"""Reasons for which Slack closes a link in the course of a day, and wants the next one at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTiming:
    """Seconds. ping: between pings. silence: how long a pong, or the first hello, may take.

    first_pause, longest_pause: after links that did not last. lasting: what a link must live to count as one that did.
    draining: how long a link that is replaced may still bring something.
    """

    ping: float = 10
    silence: float = 10
    first_pause: float = 0.5
    longest_pause: float = 30
    lasting: float = 30
    draining: float = 30


class Connections:
    """So many links to Slack, from `start` to `stop`; made and used inside one event loop."""

    def __init__(
        self, *, count: int, open_url: Callable[[], str], handle: Handle, timing: LinkTiming | None = None
    ) -> None:
        self._count = count
        self._open_url = open_url
        self._handle = handle
        self._timing = timing or LinkTiming()
        self._keepers: list[asyncio.Task[None]] = []
        self._drains: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._open: set[ClientConnection] = set()
        self._none_since: float | None = None
        self._is_stopping = asyncio.Event()
        self._is_closing = False

    @property
    def open_count(self) -> int:
        """How many links Slack has greeted and may use."""
        return len(self._open)

    @property
    def seconds_without(self) -> float:
        """For how long not one link has been open; 0 while one is."""
        since = self._none_since
        return 0.0 if since is None else time.monotonic() - since

    def start(self) -> None:
        """Open the links, and keep them open."""
        self._none_since = time.monotonic()
        self._keepers = [asyncio.create_task(self._keep(), name=f"link {number}") for number in range(self._count)]

    async def stop(self) -> None:
        """Answer what has come by now, then close the links.

        What comes while they close is not taken: Slack tells the person, or sends the event again.
        """
        self._is_stopping.set()
        if self._answers:
            await asyncio.wait(tuple(self._answers))  # not what comes meanwhile: there may always be more
        self._is_closing = True
        await asyncio.gather(*(one.close() for one in tuple(self._open)))
        if self._keepers or self._drains:
            await asyncio.wait([*self._keepers, *self._drains])
        while self._answers:
            await asyncio.wait(self._answers)

    async def _keep(self) -> None:
        """Keep one link open."""
        loop = asyncio.get_running_loop()
        short_lived = 0
        while not self._is_stopping.is_set():
            began = loop.time()
            try:
                reason = await self._link()
            except (
                SlackApiError,
                SlackClientError,
                WebSocketException,
                HTTPException,
                OSError,
                TimeoutError,
            ) as problem:
                reason = _said(problem)
                _log.warning("a link to Slack could not be opened: %s", reason)
            if reason in PLANNED or (loop.time() - began > self._timing.lasting and reason == ""):
                short_lived = 0
                continue
            short_lived += 1
            if reason == "link_disabled":
                _log.error(
                    "Socket Mode is switched off for this app. Switch it on at the app's page or unset SLACK_APP_TOKEN"
                )
            await self._pause(short_lived)

    async def _pause(self, short_lived: int) -> None:
        longest = min(self._timing.first_pause * 2 ** (short_lived - 1), self._timing.longest_pause)
        try:
            async with asyncio.timeout(longest * random.uniform(0.5, 1)):  # noqa: S311  so that replicas do not come at once
                await self._is_stopping.wait()
        except TimeoutError:
            return

    async def _link(self) -> str:
        """Open a link and take what comes; return why Slack wants another one, "" if it just ended."""
        url = await to_thread.run_sync(self._open_url)
        timing = self._timing
        link = await connect(
            url,
            open_timeout=timing.silence,
            ping_interval=timing.ping,
            ping_timeout=timing.silence,
            close_timeout=timing.silence,
            max_size=LARGEST_MESSAGE,
            logger=logging.getLogger("labcoat.links"),
        )
        is_followed = False
        try:
            async with asyncio.timeout(timing.silence):
                reason = await self._greeted(link)
            if reason is None:
                self._open.add(link)
                self._none_since = None
                reason = "" if self._is_stopping.is_set() else await self._take(link)
            is_followed = reason in PLANNED
        finally:
            if not is_followed:
                await self._close(link)
        if is_followed:
            drain = asyncio.create_task(self._drain(link))
            self._drains.add(drain)
            drain.add_done_callback(self._drains.discard)
        return reason

    async def _greeted(self, link: ClientConnection) -> str | None:
        """Wait for Slack's hello; return the reason if it does not want the link."""
        while True:
            message = _read(await link.recv())
            if message.get("type") == "hello":
                _log.info("a link to Slack is open, %s in all", message.get("num_connections"))
                return None
            if message.get("type") == "disconnect":
                return str(message.get("reason"))

    async def _take(self, link: ClientConnection) -> str:
        """Take what comes until Slack wants another link or this one ends."""
        try:
            while True:
                message = _read(await link.recv())
                if message.get("type") == "disconnect":
                    _log.info("Slack closes a link: %s", message.get("reason"))
                    return str(message.get("reason"))
                if "envelope_id" in message and not self._is_closing:
                    self._begin(link, message)
        except ConnectionClosed as closed:
            if not self._is_stopping.is_set():
                _log.warning("a link to Slack ended: %s", closed)
            return ""

    async def _drain(self, link: ClientConnection) -> None:
        """Take what still comes by a link that is replaced, until Slack closes it."""
        try:
            async with asyncio.timeout(self._timing.draining):
                while await self._take(link):
                    pass
        except TimeoutError:
            pass
        while mine := [task for task in self._answers if task.get_name() == str(link.id)]:
            await asyncio.wait(mine)
        await self._close(link)

    async def _close(self, link: ClientConnection) -> None:
        self._open.discard(link)
        if not self._open and self._none_since is None:
            self._none_since = time.monotonic()
        await link.close()

    def _begin(self, link: ClientConnection, envelope: dict[str, Any]) -> None:
        task = asyncio.create_task(self._answer(link, envelope), name=str(link.id))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, link: ClientConnection, envelope: dict[str, Any]) -> None:
        """Do what an envelope asks for, and acknowledge it by its link."""
        correlation_id.begin()  # each answer is a task of its own
        envelope_id = str(envelope["envelope_id"])
        try:
            payload = payloads.check(envelope.get("payload"))
        except MalformedPayloadError:
            _log.warning("an envelope of Slack is not understood", exc_info=True)
            answer = BoltResponse(status=HTTPStatus.OK)  # it would be no better when it came again
        else:
            answer = await self._handle(payload, f"envelope {envelope_id}")
        if answer.status != HTTPStatus.OK:
            return  # Slack tells the person, or sends the event again
        said = _payload(answer) if envelope.get("accepts_response_payload") else {}
        try:
            await link.send(json.dumps({"envelope_id": envelope_id, **({"payload": said} if said else {})}))
        except ConnectionClosed:
            _log.warning("a link to Slack ended before what came by it was answered")
            await self._answer_late(envelope, said)

    async def _answer_late(self, envelope: dict[str, Any], said: dict[str, Any]) -> None:
        url = envelope["payload"].get("response_url")
        if url and said.get("text"):
            await to_thread.run_sync(web_client.answer_by_url, url, said)


def _read(text: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        _log.warning("a message of Slack is not understood")
        return {}
    return message


def _payload(answer: BoltResponse) -> dict[str, Any]:
    if not answer.body:
        return {}
    said = json.loads(answer.body) if answer.body.startswith("{") else {"text": answer.body}
    return dict(said)


def _said(problem: Exception) -> str:
    if isinstance(problem, SlackApiError):
        return str(problem.response.get("error"))
    return f"{type(problem).__name__} {problem}".strip()
