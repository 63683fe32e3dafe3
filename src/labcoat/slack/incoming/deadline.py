"""Answers Slack in time, whatever a listener has to wait for.

Slack waits 3 s for an answer. A listener works in a thread. Usually it is done in a few milliseconds, and its answer is
the answer: what Slack was told is committed. When the database is slow, whoever clicked or typed a command is
answered "taken", and what the listener says follows by the response_url; whoever submitted a form, whose answer must be
in the response, is told in the form that it takes longer, and the form says when it is done (decision 27).
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException

from slack_bolt.response import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.observability import telemetry
from labcoat.slack import ephemeral_reply, web_client
from labcoat.slack.blocks import Message, notice_view, section
from labcoat.slack.incoming.payloads import Kind, Payload
from labcoat.words import waiting

_log = logging.getLogger(__name__)

Handle = Callable[[Payload, str], BoltResponse]
"""Takes what Slack sent, and what names this delivery, so that a replay is known."""

FORM_SECONDS = 2.0
_MAY_BE_EARLY = frozenset({Kind.COMMAND, Kind.CLICK, Kind.SHORTCUT, Kind.MESSAGE_SHORTCUT})
"""What can be answered before it is done. Events are waited for: those Slack sends again, and each is taken once."""

MOST_WAITING_PER_THREAD = 8
"""More could not be done before a person gives up; they are told so at once, which costs nothing."""

BUSY_SECONDS = 0.1
"""So long after one answer the next person is expected."""


class _Work:
    """One request: either its answer came in time, or it was answered early. Never both, never neither."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self._answer: BoltResponse | None = None
        self._is_early = False
        self._lock = threading.Lock()

    def finish(self, answer: BoltResponse) -> bool:
        """Give the answer; return False if it comes too late to be one."""
        with self._lock:
            self._answer = answer
            return not self._is_early

    def give_up(self) -> BoltResponse | None:
        """Return the answer if it came after all; else it is late from now on."""
        with self._lock:
            self._is_early = self._answer is None
            return self._answer


class Responder:
    """Has requests worked on by so many threads, and answers each in time."""

    def __init__(self, handle: Handle, *, client: WebClient, threads: int, patience: timedelta) -> None:
        """patience: how long Slack waits for what can be answered early."""
        self._handle = handle
        self._client = client
        self._patience = patience.total_seconds()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="listener")
        self._most_open = threads * MOST_WAITING_PER_THREAD
        self._open: set[Future[BoltResponse]] = set()
        self._answered_at = -BUSY_SECONDS

    async def answer(self, payload: Payload, transport_key: str) -> BoltResponse:
        """Return what Slack is told; what comes later is told by itself."""
        began, status = time.monotonic(), HTTPStatus.INTERNAL_SERVER_ERROR.value
        try:
            answer = await self._answered(payload, transport_key)
            status = answer.status
        finally:
            self._answered_at = time.monotonic()
            telemetry.answered(payload.kind, status, seconds=self._answered_at - began)
        return answer

    async def _answered(self, payload: Payload, transport_key: str) -> BoltResponse:
        if len(self._open) >= self._most_open:
            return _too_busy(self._client, payload)
        work = _Work(payload)
        future = self._threads.submit(copy_context().run, self._do, work, transport_key)  # with the request's reference
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        waited = asyncio.wrap_future(future)
        # asyncio.wait cancels nothing: not when time is up, nor when Slack hangs up.
        await asyncio.wait([waited], timeout=self._seconds(payload.kind))
        if waited.done():
            return waited.result()
        in_time = work.give_up()
        if in_time is not None:
            return in_time
        waited.add_done_callback(_require_no_bug)
        return _early(self._client, payload)

    def _seconds(self, kind: Kind) -> float | None:
        if kind in _MAY_BE_EARLY:
            return self._patience
        return max(FORM_SECONDS, self._patience) if kind is Kind.FORM else None

    def is_busy(self) -> bool:
        """Whether people click just now."""
        return bool(self._open) or time.monotonic() - self._answered_at < BUSY_SECONDS

    def close(self) -> None:
        """Wait for all that is being worked on, also what was answered early: nobody would send it again."""
        self._threads.shutdown(wait=True)

    def _do(self, work: _Work, transport_key: str) -> BoltResponse:
        answer = self._handle(work.payload, transport_key)
        if not work.finish(answer):
            _follow(self._client, work.payload, answer)
        return answer


def _require_no_bug(late: asyncio.Future[BoltResponse]) -> None:
    if late.exception() is not None:
        _log.error("a request that was answered early", exc_info=late.exception())


def _early(client: WebClient, payload: Payload) -> BoltResponse:
    _log.info("a %s is answered early", payload.kind)
    if payload.kind is Kind.FORM:
        return ephemeral_reply.answer(client, dict(payload.body), waiting.STILL_WORKING)
    return ephemeral_reply.DONE


def _too_busy(client: WebClient, payload: Payload) -> BoltResponse:
    _log.warning("too busy for a %s", payload.kind)
    if payload.kind in (Kind.COMMAND, Kind.FORM):
        return ephemeral_reply.answer(client, dict(payload.body), waiting.TOO_BUSY)
    # Slack marks the button, or sends the event again; to say more would take a call and a thread.
    return BoltResponse(status=503, body="")


def _follow(client: WebClient, payload: Payload, answer: BoltResponse) -> None:
    """Tell what a listener said after Slack was answered. Clicks are answered by their response_url anyway."""
    said = json.loads(answer.body) if answer.body else {}
    try:
        if payload.kind is Kind.COMMAND and said:
            web_client.follow_up(str(payload.body["response_url"]), said)
        elif payload.kind is Kind.FORM and said.get("response_action") != "errors":
            shown = payload.body["view"]
            view = said.get("view") or notice_view(shown["title"]["text"], _done())
            client.views_update(view_id=shown["id"], view=view)
        # What is wrong in a form can be shown under its fields only in an answer: it is, when it is pressed again.
    except (SlackApiError, SlackClientError, HTTPException, OSError):
        _log.warning("a late answer did not arrive", exc_info=True)


def _done() -> Message:
    return Message(text=waiting.DONE_LATE, blocks=(section(waiting.DONE_LATE),))
