"""Links of Socket Mode stay up whatever happens to them, and everything that comes by them is answered."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient
from websockets.asyncio.server import ServerConnection, serve

from labcoat.slack import web_client
from labcoat.slack.incoming import correlation_id
from labcoat.slack.incoming.payloads import Payload
from labcoat.slack.incoming.socket_mode import Connections, LinkTiming
from slack_sandbox.client import Person, SandboxClient
from slack_sandbox.local_slack import Timing
from slack_sandbox.serving import RunningSandbox, running_sandbox

QUICK = LinkTiming(ping=0.2, silence=1, first_pause=0.05, longest_pause=0.2, lasting=0.1, draining=5)
PATIENT = LinkTiming(first_pause=0.05, longest_pause=0.2, lasting=0.1)
APP_TOKEN = "xapp-sandbox-token"


@dataclass
class App:
    """What takes requests, with links in a thread of their own. may_answer: cleared to keep them waiting.

    under: the references of what was taken. links: what it came by.
    """

    taken: list[tuple[str, str]] = field(default_factory=list)
    under: list[str | None] = field(default_factory=list)
    links: list[Connections] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    stops: threading.Event = field(default_factory=threading.Event)

    def handle(self, payload: Payload, key: str) -> BoltResponse:
        self.taken.append((payload.kind, key))
        self.under.append(correlation_id.current())
        assert self.may_answer.wait(30)
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": "Done"})


@contextmanager
def linked(sandbox: RunningSandbox, *, count: int = 2, timing: LinkTiming = PATIENT) -> Iterator[App]:
    """Run links until the block ends."""
    app = App()
    app.may_answer.set()
    client = WebClient(base_url=sandbox.api_url, retry_handlers=[])

    async def handle(payload: Payload, key: str) -> BoltResponse:
        return await asyncio.to_thread(app.handle, payload, key)

    async def run() -> None:
        links = Connections(
            count=count, open_url=lambda: web_client.link_url(client, APP_TOKEN), handle=handle, timing=timing
        )
        app.links.append(links)
        links.start()
        await asyncio.to_thread(app.stops.wait)
        await links.stop()
        assert links.open_count == 0

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield app
    finally:
        app.may_answer.set()
        app.stops.set()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(timing=Timing(ack_seconds=20, event_retry_seconds=(0.0, 0.0, 0.0))) as running:
        yield running


@pytest.fixture
def people(sandbox: RunningSandbox) -> Iterator[SandboxClient]:
    with SandboxClient(sandbox.url) as client:
        yield client


@pytest.fixture
def ana(people: SandboxClient) -> Person:
    return people.person("UANA")


def test_command_is_answered_in_its_ack(sandbox: RunningSandbox, people: SandboxClient, ana: Person) -> None:
    with linked(sandbox) as app:
        people.wait_for(lambda: people.links.count() == 2)

        done = ana.command("/hypothesis", "list")

    assert done.ok
    assert [message["text"] for message in ana.messages()] == ["Done"]
    assert app.taken[0][1].startswith("envelope ")


def test_each_envelope_has_a_reference_of_its_own(sandbox: RunningSandbox, people: SandboxClient, ana: Person) -> None:
    with linked(sandbox) as app:
        people.wait_for(lambda: people.links.count() == 2)

        for _ in range(3):
            ana.command("/hypothesis", "list")

    assert None not in app.under
    assert len(set(app.under)) == 3


def test_link_that_slack_closes_is_followed_before_it_goes(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    with linked(sandbox, count=1) as app:
        people.wait_for(lambda: people.links.count() == 1)
        app.may_answer.clear()
        waiting = threading.Thread(target=ana.command, args=("/hypothesis", "list"))
        waiting.start()
        people.wait_for(lambda: app.taken)

        closing = threading.Thread(target=people.links.trouble, args=("refresh",))
        closing.start()
        people.wait_for(lambda: people.links.count() == 1)  # the next one, while the first still owes an answer
        app.may_answer.set()
        waiting.join()
        closing.join()

    assert [message["text"] for message in ana.messages()] == ["Done"]


def test_warned_link_goes_on_taking_until_it_is_closed(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    with linked(sandbox, count=1):
        people.wait_for(lambda: people.links.count() == 1)

        people.links.trouble("warn")
        people.wait_for(lambda: people.links.count() == 2)
        done = [ana.command("/hypothesis", "list").ok for _ in range(4)]  # by both in turn
        people.links.trouble("refresh", count=1)

        assert done == [True] * 4
        assert people.links.count() == 1


def test_link_that_broke_is_replaced(sandbox: RunningSandbox, people: SandboxClient, ana: Person) -> None:
    with linked(sandbox, timing=QUICK):
        people.wait_for(lambda: people.links.count() == 2)

        people.links.trouble("drop")
        people.wait_for(lambda: people.links.count() == 2, timeout_seconds=30)

        assert ana.command("/hypothesis", "list").ok


def test_how_long_no_link_is_open_is_known_until_one_is(sandbox: RunningSandbox, people: SandboxClient) -> None:
    with linked(sandbox, timing=QUICK) as app:
        people.wait_for(lambda: people.links.count() == 2)
        people.wait_for(lambda: app.links[0].seconds_without == 0)
        people.faults.add("apps.connections.open", "error_500", times=None)

        people.links.trouble("drop", count=1)
        people.wait_for(lambda: app.links[0].open_count == 1)
        with_one = app.links[0].seconds_without
        people.links.trouble("drop", count=1)
        people.wait_for(lambda: app.links[0].seconds_without > 0)
        people.faults.release()
        people.wait_for(lambda: app.links[0].seconds_without == 0, timeout_seconds=30)

    assert with_one == 0


def test_link_that_hangs_is_replaced(sandbox: RunningSandbox, people: SandboxClient, ana: Person) -> None:
    with linked(sandbox, timing=QUICK):
        people.wait_for(lambda: people.links.count() == 2)

        people.links.trouble("freeze")  # Slack still holds it to be open, and it answers no ping
        people.wait_for(lambda: people.links.count() == 4, timeout_seconds=30)
        people.links.trouble("drop", count=2)

        assert ana.command("/hypothesis", "list").ok


def test_links_come_back_when_slack_does_not_take_them_for_a_while(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    people.faults.add("apps.connections.open", "error_500", times=2)
    people.faults.add("apps.connections.open", "ratelimited", times=1, seconds=0)
    people.faults.add("apps.connections.open", "drop_before", times=1)
    with linked(sandbox):
        people.wait_for(lambda: people.links.count() == 2, timeout_seconds=30)

        assert ana.command("/hypothesis", "list").ok


def test_links_wait_until_socket_mode_is_switched_on_again(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    with linked(sandbox) as _:
        people.wait_for(lambda: people.links.count() == 2)
        sandbox.app_url = "http://127.0.0.1:9/"
        people.links.trouble("disable")
        assert people.links.count() == 0

        sandbox.app_url = None
        people.wait_for(lambda: people.links.count() == 2)

        assert ana.command("/hypothesis", "list").ok


def test_what_is_not_understood_is_acknowledged_and_handed_to_nobody(
    sandbox: RunningSandbox, people: SandboxClient
) -> None:
    with linked(sandbox) as app:
        people.wait_for(lambda: people.links.count() == 2)

        done = people.send_event({"type": "member_joined_channel", "user": 7})

    assert done.ok
    assert app.taken == []


def test_stop_answers_what_came_before_it_closes(sandbox: RunningSandbox, people: SandboxClient, ana: Person) -> None:
    answered: list[bool] = []
    with linked(sandbox) as app:
        people.wait_for(lambda: people.links.count() == 2)
        app.may_answer.clear()
        waiting = [threading.Thread(target=lambda: answered.append(ana.command("/hypothesis").ok)) for _ in range(5)]
        for thread in waiting:
            thread.start()
        people.wait_for(lambda: len(app.taken) == 5)
        app.stops.set()
        app.may_answer.set()
    for thread in waiting:
        thread.join()

    assert answered == [True] * 5
    assert people.links.count() == 0


def test_stop_ends_while_more_and_more_comes() -> None:
    """Each envelope is answered once the next was taken, so there is always one that waits."""

    async def run() -> None:
        taken, is_over = 0, False
        changed = asyncio.Condition()

        async def slack(link: ServerConnection) -> None:
            nonlocal is_over
            await link.send(json.dumps({"type": "hello", "num_connections": 1}))
            command = {"command": "/hypothesis", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "text": ""}
            envelope = json.dumps({"envelope_id": "one", "type": "slash_commands", "payload": command})
            await link.send(envelope)
            await link.send(envelope)
            async for _answer in link:
                await link.send(envelope)
            async with changed:
                is_over = True
                changed.notify_all()

        async def handle(_payload: Payload, _key: str) -> BoltResponse:
            nonlocal taken
            async with changed:
                taken += 1
                mine = taken
                changed.notify_all()
                await changed.wait_for(lambda: taken > mine or is_over)
            return BoltResponse(status=200)

        async with serve(slack, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            links = Connections(count=1, open_url=lambda: f"ws://127.0.0.1:{port}", handle=handle, timing=PATIENT)
            links.start()
            async with asyncio.timeout(60), changed:
                await changed.wait_for(lambda: taken > 20)
            async with asyncio.timeout(60):
                await links.stop()

        assert links.open_count == 0

    asyncio.run(run())


def test_answer_whose_link_is_gone_comes_by_the_response_url(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    with linked(sandbox, count=1, timing=QUICK) as app:
        people.wait_for(lambda: people.links.count() == 1)
        app.may_answer.clear()
        waiting = threading.Thread(target=ana.command, args=("/hypothesis", "list"))
        waiting.start()
        people.wait_for(lambda: app.taken)

        people.links.trouble("drop")
        waiting.join()
        app.may_answer.set()
        people.wait_for(lambda: [message for message in ana.messages() if message["text"] == "Done"])
