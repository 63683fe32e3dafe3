"""The desk answers in time, measures what Slack was told, and keeps a request's reference in its thread."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient

from labcoat.slack.incoming import correlation_id
from labcoat.slack.incoming.deadline import MOST_WAITING_PER_THREAD, Responder
from labcoat.slack.incoming.payloads import Kind, Payload

NOBODY = WebClient(base_url="http://127.0.0.1:9/", retry_handlers=[])
CLICK = Payload(Kind.CLICK, {})
COMMAND = Payload(Kind.COMMAND, {"response_url": "http://127.0.0.1:9/"})


@contextmanager
def a_desk(handle: Callable[[Payload, str], BoltResponse], *, patience: timedelta) -> Iterator[Responder]:
    desk = Responder(handle, client=NOBODY, threads=1, patience=patience)
    yield desk
    desk.close()


def measured(kind: Kind, status: int) -> float:
    labels = {"kind": str(kind), "answer": str(status)}
    return REGISTRY.get_sample_value("labcoat_request_seconds_count", labels) or 0.0


def test_a_listener_works_under_the_reference_that_its_request_was_given() -> None:
    seen: list[str | None] = []

    def handle(_payload: Payload, _key: str) -> BoltResponse:
        seen.append(correlation_id.current())
        return BoltResponse(status=200)

    async def ask(desk: Responder) -> str:
        given = correlation_id.begin()
        await desk.answer(CLICK, "one")
        return given

    with a_desk(handle, patience=timedelta(seconds=30)) as desk:
        given = asyncio.run(ask(desk))

    assert seen == [given]


def test_what_happens_to_a_late_answer_is_logged_under_the_reference(caplog: pytest.LogCaptureFixture) -> None:
    may_answer = threading.Event()
    refs: list[tuple[str, str | None]] = []

    def note(record: logging.LogRecord) -> bool:
        refs.append((record.getMessage(), correlation_id.current()))
        return True

    def handle(_payload: Payload, _key: str) -> BoltResponse:
        assert may_answer.wait(60)
        refs.append(("worked", correlation_id.current()))
        return BoltResponse(status=200, body={"text": "Done"})

    async def ask(desk: Responder) -> None:
        correlation_id.begin()  # as whoever takes a request from Slack does
        await desk.answer(COMMAND, "one")

    caplog.handler.addFilter(note)
    with a_desk(handle, patience=timedelta(0)) as desk:
        asyncio.run(ask(desk))
        may_answer.set()
    caplog.handler.removeFilter(note)

    under = dict(refs)
    assert under["worked"] is not None
    assert under["a late answer did not arrive"] == under["worked"]


def test_what_is_measured_is_what_slack_was_told_when() -> None:
    may_answer = threading.Event()
    before = [measured(Kind.CLICK, status) for status in (200, 201, 503)]

    def handle(_payload: Payload, _key: str) -> BoltResponse:
        assert may_answer.wait(60)
        return BoltResponse(status=201)

    async def ask(desk: Responder) -> None:
        for _ in range(MOST_WAITING_PER_THREAD):
            await desk.answer(CLICK, "early")
        await desk.answer(CLICK, "too busy")

    with a_desk(handle, patience=timedelta(0)) as desk:
        asyncio.run(ask(desk))
        may_answer.set()

    told = [measured(Kind.CLICK, status) - old for status, old in zip((200, 201, 503), before, strict=True)]
    assert told == [MOST_WAITING_PER_THREAD, 0, 1]


def test_a_bug_outside_of_listeners_is_measured_as_one() -> None:
    before = measured(Kind.CLICK, 500)

    def handle(_payload: Payload, _key: str) -> BoltResponse:
        raise ZeroDivisionError

    with a_desk(handle, patience=timedelta(seconds=30)) as desk, pytest.raises(ZeroDivisionError):
        asyncio.run(desk.answer(CLICK, "one"))

    assert measured(Kind.CLICK, 500) - before == 1
